import pytest

from api import new_name, reactions

EXTRA = {"x": [1, {"y": None}], "id": 7, "timestamp": 1, "seq": 1, "sender": "mallory", "version": -1, "edited_at": 1,
         "deleted_at": 1, "reactions": {"a": ["mallory"]}, "members": [], "role": "owner", "": "", "👍": 1e300}


@pytest.fixture
def chat(api):
    alice, bob = new_name("a"), new_name("b")
    group = api.group(alice, bob)
    return group, alice, bob, api.send(group, alice)


def test_unknown_fields_of_a_body_are_ignored(api, chat):
    group, alice, bob, sent = chat
    edited = api.write("PATCH", f"/messages/{sent['id']}", {**EXTRA, "username": alice, "content": "edited"}).ok
    assert edited == {**sent, "content": "edited", "edited_at": edited["edited_at"]}
    assert edited["edited_at"] > sent["timestamp"]
    before = api.conversation(group)
    named = api.write("PATCH", f"/conversations/{group}", {**EXTRA, "username": bob, "title": "title"}).ok
    assert named == {**before, "title": "title", "version": 4, "updated_at": named["updated_at"]}
    assert api.write("PUT", f"/conversations/{group}/read", {**EXTRA, "username": bob}).ok["read_seq"] == 1
    assert api.write("POST", f"/conversations/{group}/typing", {**EXTRA, "username": bob}).status == 202
    assert api.message(sent["id"]) == edited


def test_unknown_parameters_of_a_query_are_ignored(api, chat):
    group, alice, bob, sent = chat
    noise = "x=1&x=2&y&=&&z=%20&Limit=0&seq=-1&"
    assert api.request("GET", f"/messages/{sent['id']}?{noise}").ok == sent
    assert api.request("GET", f"/messages/?{noise}conversation_id={group}&after_seq=0").ok["messages"] == [sent]
    assert api.request("GET", f"/conversations/?{noise}username={bob}").ok == api.list_page(bob)
    assert api.request("GET", f"/conversations/{group}/changes?{noise}updated_after=x").ok == api.changes(group)
    liked = api.request("PUT", f"/messages/{sent['id']}/reactions/a?{noise}username={bob}&emoji=b").ok
    assert reactions(liked) == {"a": [bob]}
    assert api.request("DELETE", f"/messages/{sent['id']}?{noise}username={alice}").ok["content"] == ""


def test_a_query_beside_a_body_is_ignored(api, chat):
    group, alice, bob, sent = chat
    query = f"?username={bob}&content=his&title=his&seq=0"
    body = {"username": alice, "content": "hers", "title": "hers", "seq": 1}
    assert api.write("PATCH", f"/messages/{sent['id']}{query}", body).ok["content"] == "hers"
    assert api.write("PATCH", f"/conversations/{group}{query}", body).ok["title"] == "hers"
    assert api.write("PUT", f"/conversations/{group}/read{query}", body).ok["read_seq"] == 1
    assert (api.listed(alice, group)["read_seq"], api.listed(bob, group)["read_seq"]) == (1, 0)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "text/plain",
                                          "application/merge-patch+json"])
def test_the_content_type_of_a_body_is_ignored(api, chat, content_type):
    _, alice, _, sent = chat
    body = f'{{"username": "{alice}", "content": "edited"}}'.encode()
    answer = api.request("PATCH", f"/messages/{sent['id']}", body, {"Content-Type": content_type})
    assert answer.ok["content"] == "edited"
