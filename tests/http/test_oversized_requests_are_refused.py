import json

import pytest

from api import new_name, raw_request

HUGE = 64 * 1024 * 1024
PATHS = [b"/messages/", b"/conversations/", b"/conversations/1/join", b"/conversations/1/leave", b"/healthz", b"/ws/",
         b"/nope"]


def chunks(body, size):
    """A chunked body that repeats one block, so that only one copy is in memory."""
    return b"".join(b"%x\r\n%b\r\n" % (size, body[:size]) for _ in range(len(body) // size)) + b"0\r\n\r\n"


@pytest.mark.parametrize("method", [b"POST", b"GET", b"PUT", b"FROB"])
@pytest.mark.parametrize("path", PATHS)
def test_an_announced_body_of_64_megabytes_is_refused_before_it_is_sent(stack, nothing_changes, method, path):
    raw_request(stack, method, path, [b"Content-Length: %d" % HUGE]).problem(413)


@pytest.mark.parametrize("path", PATHS[:2])
def test_a_sent_body_of_64_megabytes_is_refused(stack, nothing_changes, path):
    body = b'{"content": "' + b"x" * (HUGE - 15) + b'"}'
    raw_request(stack, b"POST", path, [b"Content-Length: %d" % len(body)], body).problem(413)


@pytest.mark.parametrize("path", PATHS[:2])
def test_a_chunked_body_of_64_megabytes_is_refused(stack, nothing_changes, path):
    body = chunks(b"x" * HUGE, 1024 * 1024)
    raw_request(stack, b"POST", path, [b"Transfer-Encoding: chunked"], body).problem(413)


@pytest.mark.parametrize("content", [
    "x" * 65_537, "x" * 65_535 + "é", "👍" * 16_384 + "x", "\x01" * 65_537, "x" * 300_000,
], ids=["ascii", "two_bytes", "four_bytes", "controls", "much_more"])
@pytest.mark.parametrize("escaped", [True, False])
def test_a_content_one_byte_too_long_is_refused(api, nothing_changes_after, content, escaped):
    alice = new_name()
    message = {"conversation_id": api.group(alice), "username": alice, "content": content}
    body = json.dumps(message, ensure_ascii=escaped).encode()
    with nothing_changes_after():
        api.post_bytes("/messages/", body).problem(413, code="content_too_long", field="content")
