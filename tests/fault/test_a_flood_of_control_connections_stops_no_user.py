"""A worker takes a few control connections at a time; users are served beside a thousand of them."""
import contextlib
import threading
import time

import pytest

import fastcgi
from chat import Chat, name
from stack import Stack

FLOOD = 1000
WAIT_S = 10

BEGINNINGS = {
    "nothing": b"",
    "half a record": fastcgi.begin()[:5],
    "half a body": fastcgi.request("POST", "/messages/", {"content": "never ends"})[:-20],
    "a request whose answer is not read": fastcgi.request("GET", "/openapi.json"),
}


@pytest.fixture(scope="module")
def stack():
    with Stack() as stack:
        yield stack


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_users_are_answered_beside_a_flood_of_control_connections(stack, beginning):
    chat, ann = Chat(stack), name("ann")
    with contextlib.ExitStack() as cleanup:
        for _ in range(FLOOD):
            connection = cleanup.enter_context(fastcgi.connect(stack.state / "control.sock"))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(BEGINNINGS[beginning])
        asked_at = time.monotonic()
        conversation = chat.group(ann)
        assert chat.send(conversation, ann, "here")["seq"] == 1
        assert time.monotonic() - asked_at < WAIT_S
    assert chat.send(conversation, ann, "still here")["seq"] == 2
    assert fastcgi.ask(stack.state / "control.sock", "GET", "/control/status")[0] == 200


def test_users_are_answered_beside_large_control_answers_that_nobody_reads(stack):
    """The answers do not fit into the buffers of their connections, so the workers wait for somebody to read them."""
    chat, ann = Chat(stack), name("ann")
    conversation = chat.group(ann)
    for _ in range(16):
        chat.send(conversation, ann, "x" * 60000)
    page = fastcgi.request("GET", f"/messages?conversation_id={conversation['id']}&limit=1000")
    with contextlib.ExitStack() as cleanup:
        for _ in range(FLOOD // 10):
            cleanup.enter_context(fastcgi.connect(stack.state / "control.sock")).sendall(page)
        asked_at = time.monotonic()
        for number in range(17, 37):
            assert chat.send(conversation, ann, "here")["seq"] == number
        assert time.monotonic() - asked_at < WAIT_S / 2


def test_users_are_answered_while_control_requests_never_pause(stack):
    """Sixteen callers ask again as soon as they are answered."""
    chat, ann = Chat(stack), name("ann")
    conversation = chat.group(ann)
    stopped, answered, failed = threading.Event(), [], []

    def ask_on():
        while not stopped.is_set():
            status = fastcgi.ask(stack.state / "control.sock", "GET", "/control/status")[0]
            (answered if status == 200 else failed).append(status)

    threads = [threading.Thread(target=ask_on) for _ in range(16)]
    for thread in threads:
        thread.start()
    try:
        slowest = 0
        for number in range(1, 101):
            asked_at = time.monotonic()
            assert chat.send(conversation, ann, "here")["seq"] == number
            slowest = max(slowest, time.monotonic() - asked_at)
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    assert slowest < WAIT_S / 2 and answered and not failed, (slowest, len(answered), failed[:3])
