import pytest

from api import Client, new_name, raw_request

pytestmark = pytest.mark.usefixtures("nothing_changes")

NOT_NAMES = [b"bob%0a", b"%0abob", b"bob%0d%0a", b"a+b", b"a%20b", b"%c3%a9", b"%F0%9F%91%8D", b"a-b", b"%22", b"%27",
             b"%3Cb%3E", b"a.b", b"x" * 21, b"x" * 3000]
BROKEN = [b"%", b"%4", b"%zz", b"a%", b"a%4", b"a%4g", b"%00", b"a%00", b"a%00b", b"%ff", b"%c0%80", b"%ed%a0%80",
          b"%f4%90%80%80", b"%e2%82", b"\xff", b"\xc3\xa9"]
NOT_IDS = [b"0", b"-1", b"abc", b"1.0", b"1e3", b"1x", b"0x1", b"+1", b"%201", b"1%20", b"1%0a", b"9223372036854775808",
           b"9" * 400, b"null", b"true", b"%D9%A1"]


@pytest.fixture(scope="module")
def chat(stack):
    with Client(stack) as api:
        alice = new_name()
        return {b"username": alice.encode(), b"conversation_id": b"%d" % api.group(alice)}


def get(stack, target):
    return raw_request(stack, b"GET", target)


@pytest.mark.parametrize("value", NOT_NAMES, ids=lambda value: repr(value)[:25])
def test_an_invalid_name_is_refused(stack, value):
    get(stack, b"/messages/?username=" + value).problem(400, code="invalid_username", field="username")


@pytest.mark.parametrize("value", NOT_IDS, ids=lambda value: repr(value)[:25])
def test_an_invalid_conversation_id_is_refused(stack, value):
    get(stack, b"/messages/?conversation_id=" + value).problem(400, field="conversation_id")


@pytest.mark.parametrize("value", BROKEN, ids=repr)
@pytest.mark.parametrize("target, field", [
    (b"/messages/?username=", "username"),
    (b"/messages/?conversation_id=", "conversation_id"),
    (b"/messages/?username=bob&limit=", "limit"),
    (b"/messages/?username=bob&after=", "after"),
    (b"/conversations/?id=", "id"),
    (b"/conversations/?id=1&id=", "id"),
])
def test_a_query_that_is_not_utf8_is_refused(stack, target, field, value):
    get(stack, target + value).problem(400, field=field)


@pytest.mark.parametrize("target", [b"/messages/?username=a\x01", b"/messages/?\x7f", b"/conversations/?id=\t"],
                         ids=repr)
def test_control_characters_are_refused(stack, target):
    """nginx refuses them itself, before imd sees the request."""
    get(stack, target).problem(400)


@pytest.mark.parametrize("name, field", [(b"username", "username"), (b"conversation_id", "conversation_id"),
                                         (b"%75sername", "username")])
def test_a_parameter_given_twice_is_refused(stack, chat, name, field):
    value = chat[field.encode()]
    get(stack, b"/messages/?%b=%b&%b=%b" % (field.encode(), value, name, value)).problem(400, field=field)
    get(stack, b"/messages/?%b=%b&%b=%b" % (name, value, field.encode(), b"another")).problem(400, field=field)


@pytest.mark.parametrize("name", ["limit", "after"])
def test_a_limit_or_a_time_given_twice_is_refused(stack, chat, name):
    query = b"username=" + chat[b"username"]
    get(stack, b"/messages/?%b&%b=5&%b=5" % (query, name.encode(), name.encode())).problem(400, field=name)
