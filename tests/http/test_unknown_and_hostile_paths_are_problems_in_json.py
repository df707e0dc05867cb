import pytest

from api import raw_request

pytestmark = [pytest.mark.usefixtures("nothing_changes"), pytest.mark.parametrize("method", [b"GET", b"POST", b"FROB"])]

UNKNOWN = [b"/nope", b"/nope/", b"/messagesx", b"/messages/x", b"/messages/1/x/y", b"/conversationsx",
           b"/conversations/x/y",
           b"/conversations/1/nope", b"/conversations/1/join/x", b"/conversations//join", b"/healthz/x", b"/healthzz",
           b"/wsx", b"/ws/x", b"/Messages/", b"/%ff", b"/messages%0a", b"/messages%20/", b"/.git/config",
           b"/" + b"x" * 4000, b"/" + b"%F0%9F%91%8D" * 100, b"/nope?username=%zz", b"/pub", b"/status", b"/_sub/bob"]
HOSTILE = [b"/%00", b"/%00/", b"/messages%00", b"/messages/%00", b"/conversations/%00/join", b"/%", b"/%z",
           b"/%zz", b"/messages/%4", b"/../etc/passwd", b"/messages/../../etc/passwd", b"/%2e%2e/%2e%2e/etc/passwd"]


@pytest.mark.parametrize("target", UNKNOWN, ids=lambda target: repr(target)[2:40])
def test_an_unknown_path_is_not_found(stack, method, target):
    raw_request(stack, method, target).problem(404)


@pytest.mark.parametrize("target", HOSTILE, ids=repr)
def test_a_hostile_path_gets_a_problem(stack, method, target):
    raw_request(stack, method, target).problem(400)
