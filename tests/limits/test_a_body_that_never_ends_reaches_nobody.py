"""
What keeps it from imd: fastcgi_request_buffering. What ends one that falls silent: client_body_timeout
(imd-request.conf: 20 s; here 1 s), which each piece begins anew. So what bounds those that go on and on:
client_max_body_size (512 kB), and limit_conn imd_in_hand, 1,000 requests of one address (here 100).
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
    """What the server says; nothing, if it ends the connection."""
    try:
        return client.recv(4096)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_that_come_one_by_one(stack, kind):
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
def test_more_than_one_address_may_have_in_hand(stack, kind):
    with contextlib.ExitStack() as cleanup, others_are_answered(stack):
        # All within the second that a body may be silent, however long it takes to connect.
        clients = [cleanup.enter_context(connect(stack)) for _ in range(IN_HAND + 1)]
        for client in clients:
            begin_on(client, kind)
        # Which of them came last is for nginx's workers to say.
        [refusal] = filter(None, map(first_word, clients))
        assert refusal.startswith(b"HTTP/1.1 429 ")
        assert b"\r\nRetry-After: 1\r\n" in refusal and b'"code":"too_many_requests"' in refusal
        with Client(stack) as api:
            api.get("/conversations/", id=1).ok


def test_chunks_without_end(stack):
    """Refused as soon as they are more than a body may be."""
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
