"""
nginx buffers bodies (fastcgi_request_buffering), so an incomplete body never occupies a thread of imd.
client_body_timeout (imd-request.conf: 20 s; here 1 s) ends a body that stalls, but each piece restarts it. So
client_max_body_size (512 kB) and limit_conn imd_in_hand (1,000 requests of one address; here 100) bound the others.
"""
import contextlib
import http.client
import time

import pytest

from api import Client
from slow import answers, connect, head, others_are_answered, until_ended

IN_HAND = 100
KINDS = {
    "announced": (b"Content-Length: 100000", lambda byte: byte),
    "in_chunks": (b"Transfer-Encoding: chunked", lambda byte: b"1\r\n%s\r\n" % byte),
}


def begin(stack, kind, **more):
    client = connect(stack, **more)
    begin_on(client, kind)
    return client


def begin_on(client, kind):
    line, piece = KINDS[kind]
    client.sendall(head(b"POST", b"/messages/", line) + b"\r\n" + piece(b"{"))


def first_word(client):
    """The first bytes that the server sends; empty if it closes the connection."""
    try:
        return client.recv(4096)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_stalls_is_cut_off_and_never_reaches_imd(stack, kind):
    before = answers(stack, "POST", "/messages")
    with begin(stack, kind) as client:
        client.settimeout(0.1)
        start = time.monotonic()
        while time.monotonic() - start < 1.5:
            client.sendall(KINDS[kind][1](b" "))
            with pytest.raises(TimeoutError):
                client.recv(100)
        start = time.monotonic()
        assert until_ended(client)[0] == b""
        assert 0.5 < time.monotonic() - start < 3
    assert answers(stack, "POST", "/messages") == before


@pytest.mark.parametrize("kind", KINDS)
def test_one_request_too_many_of_one_address_gets_429(stack, kind):
    with contextlib.ExitStack() as cleanup, others_are_answered(stack):
        # Connecting may be slow, so all requests begin afterwards, within the second that a body
        # may stall.
        clients = [cleanup.enter_context(connect(stack)) for _ in range(IN_HAND + 1)]
        for client in clients:
            begin_on(client, kind)
        # The workers of nginx decide which of the requests is one too many.
        [refusal] = filter(None, map(first_word, clients))
        assert refusal.startswith(b"HTTP/1.1 429 ")
        assert b"\r\nRetry-After: 1\r\n" in refusal and b'"code":"too_many_requests"' in refusal
        with Client(stack) as api:
            api.get("/conversations/", id=1).ok


def test_endless_chunks_get_413_and_never_reach_imd(stack):
    """nginx refuses the body as soon as it exceeds the limit, though its length is not announced."""
    before = answers(stack, "POST", "/messages")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with connect(stack) as client:
        client.sendall(head(b"POST", b"/messages/", KINDS["in_chunks"][0]) + b"\r\n")
        sent = 0
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < 100:
                client.sendall(chunk)
                sent += 1
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.status == 413 and answer.headers["Content-Type"] == "application/problem+json"
    assert answers(stack, "POST", "/messages") == before
