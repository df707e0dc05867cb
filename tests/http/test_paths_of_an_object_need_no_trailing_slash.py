"""A path to one object works with and without a trailing slash, and HEAD is GET without a body there too."""
import json

import pytest

from api import new_name

OWN = {"date", "x-request-id"}


@pytest.fixture
def chat(api):
    alice, bob = new_name("a"), new_name("b")
    group = api.group(alice, bob)
    return {"alice": alice, "bob": bob, "group": group, "message": api.send(group, alice, "👍" * 1000)["id"]}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("method, path, query, body", [
    ("PATCH", "/messages/{message}", "", {"username": "alice", "content": "edited"}),
    ("DELETE", "/messages/{message}", "?username={alice}", None),
    ("PUT", "/messages/{message}/reactions/a", "?username={bob}", None),
    ("DELETE", "/messages/{message}/reactions/a", "?username={bob}", None),
    ("PATCH", "/conversations/{group}", "", {"username": "alice", "title": "title"}),
    ("PUT", "/conversations/{group}/read", "", {"username": "bob", "seq": 1}),
    ("POST", "/conversations/{group}/typing", "", {"username": "bob"}),
])
def test_writes_work_with_and_without_the_slash(api, chat, method, path, query, body, slash):
    target = path.format(**chat) + slash + query.format(**chat)
    if body is not None:
        body = json.dumps({key: chat.get(value, value) for key, value in body.items()})
    answer = api.request(method, target, body)
    assert answer.status == (202 if "typing" in path else 200), answer


READING = [("/messages/{message}", ""), ("/messages/", "?conversation_id={group}&after_seq=0"),
           ("/conversations/", "?username={bob}"), ("/conversations/", "?username={bob}&updated_after=0&limit=1"),
           ("/conversations/{group}/changes", ""), ("/conversations/{group}/changes", "?after=1&username={bob}"),
           ("/conversations/{group}/presence", ""), ("/openapi.json", "")]
REFUSED = [("/messages/0", "", 404), ("/messages/4611686018427387904", "", 404),
           ("/messages/", "?conversation_id={group}&around_seq=0", 400), ("/conversations/", "?username=a-b", 400),
           ("/conversations/{group}/changes", "?after=x", 400),
           ("/conversations/{group}/changes", "?username=nobody_at_all", 403),
           ("/conversations/4611686018427387904/presence", "", 404)]


@pytest.mark.parametrize("path, query", READING)
def test_reads_work_with_and_without_the_slash(api, chat, path, query):
    path, query = path.format(**chat).rstrip("/"), query.format(**chat)
    assert api.get(path + query).ok == api.get(path + "/" + query).ok


@pytest.mark.parametrize("path, query, status", [*((*target, 200) for target in READING), *REFUSED,
                                                 ("/metrics", "", 200)])
def test_head_works_with_and_without_the_slash(api, chat, path, query, status):
    target = path.format(**chat) + query.format(**chat)
    got, head = api.request("GET", target), api.request("HEAD", target)
    assert got.status == head.status == status
    assert got.body and not head.body
    # The counters change between the two.
    own = OWN | {"content-length"} if path == "/metrics" else OWN
    assert headers(head, own) == headers(got, own)


def headers(answer, own):
    return sorted((name.lower(), value) for name, value in answer.headers.items() if name.lower() not in own)
