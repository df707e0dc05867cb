import contextlib
import os
import signal

import pytest

import fastcgi
from alone import Directory
from chat import Chat
from load import Load
from stack import Stack, wait_until

IN_HAND = 6


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_requests_in_progress_are_answered(stop):
    with Directory() as directory, contextlib.ExitStack() as cleanup:
        imd = directory.start()
        # A lock held by another process keeps the requests in progress until it is released.
        lock = cleanup.enter_context(contextlib.ExitStack())
        lock.enter_context(directory.database.writing())
        waiting = [cleanup.enter_context(fastcgi.connect(directory.socket)) for _ in range(IN_HAND)]
        for number, connection in enumerate(waiting):
            body = {"type": "group_chat", "members": [f"ann_{number}"]}
            connection.sendall(fastcgi.request("POST", "/conversations/", body))
        wait_until(lambda: not any(map(fastcgi.unread_bytes, waiting)), 10, "all requests are in progress")
        os.kill(imd.pid, stop)
        wait_until(lambda: "event=ending" in imd.log(), 10, "it says that it stops")
        lock.close()
        for connection in waiting:
            # On a slow machine the wait for the lock may time out: a 503 is an answer too.
            assert fastcgi.answer(connection)[0] in (200, 503)
            connection.close()
        assert imd.wait_end() == 0
        directory.database.assert_whole()


def test_idle_connections_do_not_delay_a_stop():
    with Directory() as directory, contextlib.ExitStack() as cleanup:
        imd = directory.start()
        kept = [cleanup.enter_context(fastcgi.connect(directory.socket)) for _ in range(4)]
        for connection in kept:
            connection.sendall(fastcgi.request("GET", "/conversations/?id=1", flags=fastcgi.KEEP))
            assert fastcgi.answer(connection)[0] == 200
        os.kill(imd.pid, signal.SIGTERM)
        assert imd.wait_end(timeout_s=8) == 0


def test_half_a_request_delays_a_stop_by_drain_ms_at_most():
    with Directory() as directory:
        imd = directory.start("--drain-ms=500")
        with fastcgi.connect(directory.socket) as half:
            half.sendall(fastcgi.request("POST", "/messages/", {"content": "never ends"})[:-20])
            wait_until(lambda: not fastcgi.unread_bytes(half), 10, "the request is in progress")
            os.kill(imd.pid, signal.SIGTERM)
            assert imd.wait_end(timeout_s=8) == 0


def test_a_stack_under_load_stops_cleanly():
    """The stack asserts exit status 0 and that no process is left behind."""
    stack = Stack(imd_flags=["--threads=8"])
    stack.start()
    load = Load(stack, Chat(stack), fresh=True)
    with load:
        load.wait_answered(100)
        stack.stop()
        load.stop()
    with stack:
        load.assert_stored_once()
