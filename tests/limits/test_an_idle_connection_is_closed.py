"""keepalive_timeout, nginx's default (75 s; here 1 s), closes connections that carry no request."""
import contextlib
import time

from slow import connect, head, others_are_answered, until_ended

CLIENTS = 300


def test_idle_connections_are_closed_after_the_timeout(stack):
    with contextlib.ExitStack() as cleanup, others_are_answered(stack):
        clients = [cleanup.enter_context(connect(stack)) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(head(b"GET", b"/conversations/?id=1") + b"\r\n")
            assert client.recv(12) == b"HTTP/1.1 200"
        start = time.monotonic()
        for client in clients:
            _, reset = until_ended(client)
            assert not reset
        assert 0.5 < time.monotonic() - start < 4
