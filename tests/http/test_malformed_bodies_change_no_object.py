"""Each path that changes an object gets an otherwise valid body with one fault."""
import json
import sys
from pathlib import Path

import pytest

from api import JSON_HEADERS, Client, new_name
from routes import ROUTES, missing

# The faults are listed in the file that uses them first.
sys.path.insert(0, str(Path(__file__).parent))
from test_malformed_bodies_are_refused import NO_VALUES, NOT_JSON, NOT_OBJECTS, PATHS, TOO_DEEP

pytestmark = pytest.mark.usefixtures("nothing_changes")

EDIT, RETITLE = ("PATCH", "/messages/{message}"), ("PATCH", "/conversations/{group}")
READ, TYPE = ("PUT", "/conversations/{group}/read"), ("POST", "/conversations/{group}/typing")
SEND, SET_MEMBER = ("POST", "/messages/"), ("PUT", "/conversations/{group}/members/{bob}")
REQUESTS = [EDIT, RETITLE, READ, TYPE, SET_MEMBER]
PLACES = [(EDIT, "username"), (EDIT, "content"), (RETITLE, "username"), (RETITLE, "title"), (READ, "username"),
          (READ, "seq"), (TYPE, "username"), (SEND, "client_id"), (SEND, "reply_to"), (SET_MEMBER, "username"),
          (SET_MEMBER, "role")]
EACH_REQUEST = pytest.mark.parametrize("request_line", REQUESTS, ids=" ".join)
EACH_PLACE = pytest.mark.parametrize("request_line, field", PLACES, ids=lambda place: "".join(place))


@pytest.fixture(scope="module")
def good(stack):
    """A valid body for each request."""
    alice, bob = new_name("a"), new_name("b")
    with Client(stack) as api:
        group = api.group(alice, bob)
        message = api.send(group, alice)["id"]
    return {"group": group, "message": message, "bob": bob, EDIT: {"username": alice, "content": "edited"},
            RETITLE: {"username": alice, "title": "title"}, READ: {"username": alice, "seq": 1},
            TYPE: {"username": alice}, SET_MEMBER: {"username": alice, "role": "member"},
            SEND: {"conversation_id": group, "username": alice, "client_id": "key", "reply_to": message}}


def ask(api, good, request_line, body):
    method, path = request_line
    return api.request(method, path.format(**{key: good[key] for key in ("group", "message", "bob")}), body, JSON_HEADERS)


def test_every_route_with_a_body_gets_malformed_ones():
    """A route that is missing belongs into REQUESTS here, or into PLACES of test_malformed_bodies_are_refused.py."""
    assert missing([route for route in ROUTES if route[2]], [*(("POST", path) for path in PATHS), *REQUESTS]) == []


@EACH_REQUEST
@pytest.mark.parametrize("fault", NOT_JSON)
def test_invalid_json_changes_nothing(api, good, request_line, fault):
    body = NOT_JSON[fault](json.dumps(good[request_line]).encode())
    ask(api, good, request_line, body).problem(400, code="invalid_json")


@EACH_REQUEST
def test_a_missing_body_changes_nothing(api, good, request_line):
    ask(api, good, request_line, None).problem(400, code="invalid_json")


@EACH_REQUEST
@pytest.mark.parametrize("body", NOT_OBJECTS, ids=repr)
def test_json_that_is_not_an_object_changes_nothing(api, good, request_line, body):
    ask(api, good, request_line, body).problem(400, code="invalid_body")


@EACH_PLACE
@pytest.mark.parametrize("fault", NO_VALUES)
def test_an_invalid_value_changes_nothing(api, good, request_line, field, fault):
    body = json.dumps({**good[request_line], field: "@"}).encode().replace(b'"@"', NO_VALUES[fault])
    refused = ask(api, good, request_line, body)
    # Deeply nested ones may also exceed the body limit of the path.
    refused.problem(413 if refused.status == 413 and fault in TOO_DEEP else 400)


@EACH_PLACE
def test_a_duplicate_key_changes_nothing(api, good, request_line, field):
    text = json.dumps(good[request_line])
    for value in (json.dumps(good[request_line][field]), '"another"', "null"):
        ask(api, good, request_line, f'{text[:-1]}, "{field}": {value}}}'.encode()).problem(400)
