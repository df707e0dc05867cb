"""The unread body of a refused request or of a GET must not be taken for the beginning of the next request."""
import pytest

from api import new_name

SIZES = [1, 5_000, 300_000]


@pytest.fixture
def chat(api):
    alice = new_name()
    group = api.group(alice)
    return {"username": alice, "id": group, "sent": api.send(group, alice)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", ["/messages/?conversation_id={id}", "/conversations/?id={id}"])
def test_the_body_of_a_get_is_ignored(api, nothing_changes_after, chat, path, size):
    target = path.format(**chat)
    expected = api.get(target).ok
    with nothing_changes_after():
        for _ in range(10):
            assert api.request("GET", target, b"x" * size).ok == expected


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("method, path, statuses", [
    ("PUT", "/messages/", {405}),
    ("GET", "/conversations/{id}/join", {405}),
    ("POST", "/nope", {404}),
    ("POST", "/conversations/x/join", {404}),
    ("POST", "/messages/?username=%zz", {400}),
    ("POST", "/conversations/{id}/leave", {400, 413}),
    ("GET", "/ws/", {400}),
])
def test_the_body_of_a_refused_request_is_dropped(api, nothing_changes_after, chat, method, path, statuses, size):
    page = {"messages": [chat["sent"]], "has_next": False}
    with nothing_changes_after():
        for _ in range(10):
            refused = api.request(method, path.format(**chat), b"x" * size)
            assert refused.status in statuses
            refused.problem(refused.status)
            assert api.page(username=chat["username"]) == page
