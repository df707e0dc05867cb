import json

import pytest

from api import new_name

EXTRA = {"x": [1, {"y": None}], "id": 7, "timestamp": 1, "seq": -1, "sender": "mallory", "": "", "👍": 1e300}


@pytest.fixture
def alice(api):
    return new_name()


def test_unknown_fields_of_a_body_are_ignored(api, alice):
    group = api.post("/conversations/", {"type": "group_chat", "members": [alice], **EXTRA}).ok
    message = {"conversation_id": group["id"], "username": alice, "content": "hello"}
    sent = api.post("/messages/", {**EXTRA, **message}).ok
    assert (sent["sender"], sent["content"], sent["seq"]) == (alice, "hello", 1)
    assert sent["timestamp"] > group["created_at"]
    for action in ("leave", "join"):
        answer = api.post(f"/conversations/{group['id']}/{action}", {**EXTRA, "username": alice})
        assert answer.ok == {"result": "success"}


def test_unknown_parameters_of_a_query_are_ignored(api, alice):
    group = api.group(alice)
    page = {"messages": [api.send(group, alice)], "has_next": False}
    assert api.get(f"/messages/?x=1&username={alice}&x=2&y&=&&z=%20").ok == page
    assert api.get(f"/messages/?conversation_id={group}&Limit=0").ok == page
    found = {"conversations": [api.conversation(group)]}
    assert api.get(f"/conversations/?x=&id={group}&ids=0").ok == found


def test_a_percent_encoded_parameter_name_is_decoded(api, alice):
    message = api.send(api.group(alice), alice)
    escaped = "".join(f"%{ord(c):02x}" for c in alice)
    assert api.get(f"/messages/?%75sername={escaped}").ok == {"messages": [message], "has_next": False}


def test_a_query_on_a_post_is_ignored(api, alice):
    api.post("/conversations/?type=nonsense&members=", {"type": "group_chat", "members": [alice]}).ok


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "text/json",
                                          "application/vnd.chat+json"])
def test_the_content_type_of_a_body_is_ignored(api, alice, content_type):
    body = json.dumps({"type": "group_chat", "members": [alice]}).encode()
    assert api.request("POST", "/conversations/", body, {"Content-Type": content_type}).ok["members"] == [alice]
