"""The socket is private, but its peer may hang: a stopped web server, a pulled cable."""
import contextlib
import time

import pytest

import fastcgi
from chat import Chat, name
from stack import Stack

HALF_OPEN = 200
# Fewer than the threads of imd, and more than may compute at once.
UNREAD = 24
WAIT_S = 10

BEGINNINGS = {
    "nothing": b"",
    "half a record": fastcgi.begin()[:5],
    "half a body": fastcgi.request("POST", "/messages/", {"content": "never ends"})[:-20],
}


@pytest.fixture(scope="module")
def stack():
    """imd with its default number of threads, several times fewer than the connections that hang here."""
    with Stack() as stack:
        yield stack


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_requests_are_answered_beside_half_open_connections(stack, beginning):
    chat, ann = Chat(stack), name("ann")
    with contextlib.ExitStack() as cleanup:
        for _ in range(HALF_OPEN):
            cleanup.enter_context(fastcgi.connect(stack.state / "imd.sock")).sendall(BEGINNINGS[beginning])
        asked_at = time.monotonic()
        conversation = chat.group(ann)
        assert chat.send(conversation, ann, "here")["seq"] == 1
        assert time.monotonic() - asked_at < WAIT_S
    assert chat.send(conversation, ann, "still here")["seq"] == 2


def test_requests_are_answered_beside_large_answers_that_nobody_reads(stack):
    """As if one of nginx's workers hung: its answers do not fit into the buffers of its connections."""
    chat, ann = Chat(stack), name("ann")
    conversation = chat.group(ann)
    for _ in range(16):
        chat.send(conversation, ann, "x" * 60000)
    page = fastcgi.request("GET", f"/messages?conversation_id={conversation['id']}&limit=1000")
    with contextlib.ExitStack() as cleanup:
        for _ in range(UNREAD):
            cleanup.enter_context(fastcgi.connect(stack.state / "imd.sock")).sendall(page)
        asked_at = time.monotonic()
        for number in range(17, 37):
            assert chat.send(conversation, ann, "here")["seq"] == number
        assert time.monotonic() - asked_at < WAIT_S / 2
