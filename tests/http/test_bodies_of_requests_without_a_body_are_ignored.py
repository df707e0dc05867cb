"""If a route takes no body, the body is not read. It is not taken for the beginning of the next request either."""
import pytest

from api import new_name


@pytest.fixture
def chat(api):
    alice, bob = new_name("a"), new_name("b")
    group = api.group(alice, bob)
    return {"alice": alice, "bob": bob, "group": group, "message": api.send(group, alice)["id"]}


@pytest.mark.parametrize("size", [1, 5_000, 300_000])
@pytest.mark.parametrize("method, path", [
    ("GET", "/messages/{message}"), ("GET", "/conversations/{group}/changes"),
    ("GET", "/conversations/?username={bob}"),
    ("GET", "/messages/?conversation_id={group}&around_seq=1"), ("DELETE", "/messages/{message}?username={alice}"),
    ("PUT", "/messages/{message}/reactions/a?username={bob}"),
    ("DELETE", "/messages/{message}/reactions/a?username={bob}"), ("GET", "/openapi.json"),
])
def test_an_unread_body_does_not_change_the_answer(api, chat, method, path, size):
    target = path.format(**chat)
    expected = api.request(method, target).ok
    for _ in range(10):
        assert api.request(method, target, b"x" * size).ok == expected


@pytest.mark.parametrize("size", [1, 5_000, 300_000])
@pytest.mark.parametrize("method, path, statuses", [
    ("POST", "/messages/{message}", {405}), ("PUT", "/conversations/{group}", {405}),
    ("PATCH", "/messages/0", {404}), ("PATCH", "/messages/{message}", {400, 413}),
    ("PUT", "/conversations/{group}/read", {400, 413}), ("DELETE", "/messages/{message}?username={bob}", {403}),
    ("PUT", "/messages/{message}/reactions/%20?username={bob}", {400}),
    ("GET", "/conversations/{group}/changes?after=x", {400}),
])
def test_an_unread_body_does_not_change_a_refusal(api, nothing_changes_after, chat, method, path, statuses, size):
    expected = api.message(chat["message"])
    with nothing_changes_after():
        for _ in range(10):
            refused = api.request(method, path.format(**chat), b"x" * size)
            assert refused.status in statuses
            refused.problem(refused.status)
            assert api.message(chat["message"]) == expected


def test_a_name_in_the_body_is_ignored(api, nothing_changes_after, chat):
    """These requests take the user name only from the query."""
    with nothing_changes_after():
        for method, path, name in (("DELETE", f"/messages/{chat['message']}", chat["alice"]),
                                   ("PUT", f"/messages/{chat['message']}/reactions/a", chat["bob"])):
            api.write(method, path, {"username": name}).problem(400, code="invalid_username", field="username")
