"""client_header_timeout, nginx's default (60 s; here 1 s), bounds the time of a whole request header."""
import contextlib
import time

import pytest

from slow import connect, head, others_are_answered, until_ended

CLIENTS = 100


@pytest.mark.parametrize("beginning", [b"", b"G", head(b"GET", b"/messages/?username=ann")],
                         ids=["nothing", "a_letter", "no_empty_line"])
def test_a_header_that_stalls_is_cut_off_after_the_timeout(stack, beginning):
    with contextlib.ExitStack() as cleanup, others_are_answered(stack):
        clients = [cleanup.enter_context(connect(stack)) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(beginning)
        start = time.monotonic()
        for client in clients:
            assert until_ended(client) == (b"", False)
        assert 0.5 < time.monotonic() - start < 3


def test_a_header_sent_byte_by_byte_is_cut_off_after_the_timeout(stack):
    with connect(stack) as client, others_are_answered(stack):
        client.sendall(head(b"GET", b"/healthz") + b"X-Long: ")
        client.settimeout(0.05)
        start = time.monotonic()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while time.monotonic() - start < 5:
                client.sendall(b"x")
                with contextlib.suppress(TimeoutError):
                    assert client.recv(100) == b""
        assert 0.5 < time.monotonic() - start < 3
