import pytest

from api import JSON_HEADERS, new_name
from routes import ROUTES


@pytest.fixture
def chat(api):
    alice = new_name()
    return {"conversation_id": api.group(alice), "username": alice, "content": "hello"}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path, value", [
    ("/messages", lambda chat: chat),
    ("/conversations", lambda chat: {"type": "group_chat", "members": [chat["username"]]}),
    ("/conversations/{conversation_id}/join", lambda chat: chat),
    ("/conversations/{conversation_id}/leave", lambda chat: chat),
])
def test_posts_work_with_and_without_the_slash(api, chat, path, value, slash):
    api.post(path.format(**chat) + slash, value(chat)).ok


@pytest.mark.parametrize("query", ["/messages{}?username={username}", "/messages{}?conversation_id={conversation_id}",
                                   "/conversations{}?id={conversation_id}", "/conversations{}"])
def test_gets_work_with_and_without_the_slash(api, chat, query):
    api.post("/messages", chat).ok
    assert api.get(query.format("", **chat)).ok == api.get(query.format("/", **chat)).ok


@pytest.mark.parametrize("path", ["/healthz", "/healthz/"])
def test_healthz_works_with_and_without_the_slash(api, path):
    api.get(path).ok


@pytest.mark.parametrize("method, path, takes_body", ROUTES)
def test_every_route_answers_alike_with_and_without_the_slash(api, method, path, takes_body):
    """The objects do not exist and the bodies are empty, so nothing changes between the two requests."""
    target = path.format(id=2**62, emoji="a", name=new_name())
    plain, slashed = (api.request(method, target + slash, b"{}" if takes_body else None, JSON_HEADERS)
                      for slash in ("", "/"))
    assert plain.status == slashed.status != 405
    if plain.status >= 400:
        assert (plain.json["code"], plain.json["error"]) == (slashed.json["code"], slashed.json["error"])


@pytest.mark.parametrize("path", ["/ws", "/messages", "/conversations/0/join", "/nope"])
def test_refusals_work_with_and_without_the_slash(api, path):
    def refusal(target):
        refused = api.request("PUT", target, b"{}", JSON_HEADERS)
        return refused.status, refused.json["error"], refused.json["code"]
    assert refusal(path) == refusal(path + "/")
