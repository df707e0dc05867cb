"""Anything but an id in the place of an id is not found, even if the rest of the request is valid."""
import pytest

from api import Client, new_name
from routes import ROUTES, missing

pytestmark = pytest.mark.usefixtures("nothing_changes")

NOT_IDS = ["0", "00", "-1", "abc", "1x", "x1", "1.0", "1e3", "0x1", "9223372036854775808", "9" * 400, "%ff",
           "%F0%9F%91%8D", "1%20", "%201", "+1", "1%0a", "1,2", "null", "%D9%A1", "{}"]
REQUESTS = {
    "look": ("GET", "/messages/{}", None),
    "edit": ("PATCH", "/messages/{}", {"content": "edited"}),
    "erase": ("DELETE", "/messages/{}?username={name}", None),
    "react": ("PUT", "/messages/{}/reactions/a?username={name}", None),
    "unreact": ("DELETE", "/messages/{}/reactions/a?username={name}", None),
    "retitle": ("PATCH", "/conversations/{}", {"title": "title"}),
    "read": ("PUT", "/conversations/{}/read", {"seq": 1}),
    "changes": ("GET", "/conversations/{}/changes", None),
    "type": ("POST", "/conversations/{}/typing", {}),
    "presence": ("GET", "/conversations/{}/presence", None),
    "reactors": ("GET", "/messages/{}/reactions", None),
    "join": ("POST", "/conversations/{}/join", {}),
    "leave": ("POST", "/conversations/{}/leave", {}),
    "members": ("GET", "/conversations/{}/members", None),
    "set_member": ("PUT", "/conversations/{}/members/{name}", {"role": "member"}),
    "remove_member": ("DELETE", "/conversations/{}/members/{name}?username={name}", None),
}


@pytest.fixture(scope="module")
def alice(stack):
    with Client(stack) as api:
        name = new_name()
        api.send(api.group(name), name)
        return name


def ask(api, alice, what, segment):
    method, path, body = REQUESTS[what]
    path = path.replace("{}", segment).replace("{name}", alice)
    return api.write(method, path, {"username": alice, **body}) if body is not None else api.request(method, path)


def test_every_route_with_an_id_is_requested():
    """A route that is missing belongs into REQUESTS."""
    assert missing([route for route in ROUTES if "{id}" in route[1]],
                   [(method, path.replace("{}", "{id}")) for method, path, _ in REQUESTS.values()]) == []


@pytest.mark.parametrize("what", REQUESTS)
@pytest.mark.parametrize("segment", NOT_IDS, ids=lambda value: value[:25])
def test_an_invalid_id_in_a_path_is_not_found(api, alice, what, segment):
    ask(api, alice, what, segment).problem(404)


@pytest.mark.parametrize("what", REQUESTS)
@pytest.mark.parametrize("segment", ["%00", "1%00", "%", "%zz"])
def test_a_path_that_nginx_refuses_is_a_problem(api, alice, what, segment):
    ask(api, alice, what, segment).problem(400)


@pytest.mark.parametrize("what", REQUESTS)
def test_an_unused_id_in_a_path_is_not_found(api, alice, what):
    code = "invalid_message_id" if REQUESTS[what][1].startswith("/messages") else "invalid_conversation_id"
    for number in (2**62, 2**63 - 1):
        ask(api, alice, what, str(number)).problem(404, code=code)


@pytest.mark.parametrize("path", [
    "/messages/1/", "/messages/1/x", "/messages/1/reactions/a/b", "/messages//reactions/a",
    "/conversations/1/x", "/conversations/1/read/1", "/conversations/1/changes/1", "/conversations/1/typing/x",
    "/conversations/1/presence/x", "/conversations//read", "/metrics/x", "/metricsx", "/openapi", "/openapi.json/x",
    "/openapi.jsonx", "/openapixjson", "/Metrics", "/conversations/read", "/messages/reactions/a",
])
def test_other_paths_below_an_object_are_not_found(api, path):
    """The method FROB gets 405 if the path exists."""
    assert api.request("FROB", path).status == (405 if path == "/messages/1/" else 404)
