import sys
from pathlib import Path

import pytest

from api import Client, new_name, raw_request

# The faults are listed in the file that uses them first.
sys.path.insert(0, str(Path(__file__).parent))
from test_malformed_queries_are_refused import BROKEN, NOT_NAMES

pytestmark = pytest.mark.usefixtures("nothing_changes")

BY_SEQ = b"/messages/?conversation_id=%(group)d&"
LIST = b"/conversations/?username=%(alice)b&"
CHANGES = b"/conversations/%(group)d/changes?"
NAMES = [(b"DELETE", b"/messages/%(message)d?username="), (b"PUT", b"/messages/%(message)d/reactions/a?username="),
         (b"DELETE", b"/messages/%(message)d/reactions/a?username="), (b"GET", b"/conversations/?username="),
         (b"GET", CHANGES + b"username=")]
NUMBERS = [(b"GET", BY_SEQ + b"after_seq="), (b"GET", BY_SEQ + b"before_seq="), (b"GET", BY_SEQ + b"around_seq="),
           (b"GET", BY_SEQ + b"after_seq=1&limit="), (b"GET", LIST + b"limit="), (b"GET", LIST + b"updated_after="),
           (b"GET", LIST + b"updated_before="), (b"GET", CHANGES + b"after="), (b"GET", CHANGES + b"limit=")]


@pytest.fixture(scope="module")
def ids(stack):
    with Client(stack) as api:
        alice = new_name()
        group = api.group(alice)
        return {b"alice": alice.encode(), b"group": group, b"message": api.send(group, alice)["id"]}


def field_of(target):
    """The parameter that the value belongs to: the name before the last "="."""
    return target[:-1].rsplit(b"?", 1)[-1].rsplit(b"&", 1)[-1].decode()


def name_of(value):
    return repr(value)[2:50]


@pytest.mark.parametrize("method, target", NAMES + NUMBERS, ids=name_of)
@pytest.mark.parametrize("value", BROKEN, ids=repr)
def test_a_query_that_is_not_utf8_changes_nothing(stack, ids, method, target, value):
    raw_request(stack, method, target % ids + value).problem(400, field=field_of(target))


@pytest.mark.parametrize("method, target", NAMES, ids=name_of)
@pytest.mark.parametrize("value", NOT_NAMES, ids=name_of)
def test_an_invalid_name_changes_nothing(stack, ids, method, target, value):
    refused = raw_request(stack, method, target % ids + value)
    refused.problem(400, code="invalid_username", field="username")


@pytest.mark.parametrize("method, target", NAMES[:3], ids=name_of)
def test_a_missing_name_changes_nothing(stack, ids, method, target):
    path = target[:target.index(b"?")] % ids
    for query in (b"", b"?", b"?username", b"?username=", b"?name=" + ids[b"alice"]):
        raw_request(stack, method, path + query).problem(400, code="invalid_username", field="username")


@pytest.mark.parametrize("method, target", NAMES + NUMBERS, ids=name_of)
def test_a_parameter_given_twice_changes_nothing(stack, ids, method, target):
    name = field_of(target)
    good = ids[b"alice"] if name == "username" else b"1"
    escaped = b"%%%02x" % ord(name[0]) + name[1:].encode()
    for again in (name.encode() + b"=" + good, name.encode() + b"=another", escaped + b"=" + good):
        raw_request(stack, method, target % ids + good + b"&" + again).problem(400, field=name)


@pytest.mark.parametrize("target", [LIST + b"x=\x01", CHANGES + b"\x7f", BY_SEQ + b"after_seq=\t"], ids=name_of)
def test_control_characters_change_nothing(stack, ids, target):
    """nginx refuses them itself, before imd sees the request."""
    raw_request(stack, b"GET", target % ids).problem(400)
