import json

import pytest

from api import Client, new_name, raw_request

pytestmark = pytest.mark.usefixtures("nothing_changes")

HUGE = 64 * 1024 * 1024
REQUESTS = [(b"PATCH", b"/messages/%(message)d"), (b"DELETE", b"/messages/%(message)d?username=%(alice)b"),
            (b"PUT", b"/messages/%(message)d/reactions/a?username=%(alice)b"), (b"PATCH", b"/conversations/%(group)d"),
            (b"PUT", b"/conversations/%(group)d/read"), (b"POST", b"/conversations/%(group)d/typing"),
            (b"GET", b"/conversations/%(group)d/changes"), (b"GET", b"/metrics"), (b"GET", b"/openapi.json")]
EACH = pytest.mark.parametrize("method, target", REQUESTS, ids=repr)


@pytest.fixture(scope="module")
def ids(stack):
    with Client(stack) as api:
        alice = new_name()
        group = api.group(alice)
        return {b"alice": alice.encode(), b"group": group, b"message": api.send(group, alice)["id"]}


@EACH
def test_an_announced_body_of_64_megabytes_is_refused_before_it_is_sent(stack, ids, method, target):
    raw_request(stack, method, target % ids, [b"Content-Length: %d" % HUGE]).problem(413)


@EACH
def test_a_chunked_body_of_64_megabytes_is_refused(stack, ids, method, target):
    chunk = b"%x\r\n%b\r\n" % (1 << 20, b"x" * (1 << 20))
    body = chunk * (HUGE >> 20) + b"0\r\n\r\n"
    raw_request(stack, method, target % ids, [b"Transfer-Encoding: chunked"], body).problem(413)


@pytest.mark.parametrize("method, target, field", [
    (b"PATCH", b"/conversations/%(group)d", "title"), (b"PUT", b"/conversations/%(group)d/read", "seq"),
    (b"POST", b"/conversations/%(group)d/typing", "x"),
])
def test_a_body_beyond_the_limit_of_the_route_is_refused(stack, ids, method, target, field):
    body = json.dumps({"username": ids[b"alice"].decode(), field: "x" * 300_000}).encode()
    refused = raw_request(stack, method, target % ids, [b"Content-Length: %d" % len(body)], body)
    refused.problem(refused.status)
    assert refused.status in (400, 413)
