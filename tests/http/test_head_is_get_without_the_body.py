import pytest

from api import new_name

OWN = {"date", "x-request-id"}


@pytest.fixture
def chat(api):
    alice = new_name()
    conversation = api.group(alice)
    api.send(conversation, alice, "👍" * 1000)
    return {"username": alice, "conversation": conversation}


@pytest.mark.parametrize("path, status", [
    ("/messages/?username={username}", 200),
    ("/messages?conversation_id={conversation}", 200),
    ("/messages/", 400),
    ("/messages/?username={username}&limit=0", 400),
    ("/conversations/?id={conversation}", 200),
    ("/conversations", 200),
    ("/conversations/?id=x", 400),
    ("/healthz", 200),
    ("/healthz/", 200),
    ("/ws/", 400),
    ("/ws/?username=bad%20name", 400),
    ("/nope", 404),
    ("/%00", 400),
])
def test_head_answers_as_get_without_a_body(api, chat, path, status):
    target = path.format(**chat)
    got = api.request("GET", target)
    head = api.request("HEAD", target)
    assert got.status == head.status == status
    assert got.body and not head.body
    assert headers(head) == headers(got)


def headers(answer):
    return sorted((name.lower(), value) for name, value in answer.headers.items() if name.lower() not in OWN)
