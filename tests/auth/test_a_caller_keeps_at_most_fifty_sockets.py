"""
An authenticated caller may keep fifty sockets, from any address. Anonymous callers share fifty for each address. The
next one is refused with a reason.
"""
import json
import socket
from contextlib import ExitStack, closing

import pytest

from api import TIMEOUT_S, new_name
from handshake import UPGRADE
from sites import bearer, jwt_stack
from stack import Stack, wait_until
from tokens import Hs256

ALLOWED = 50
HOW = {"websocket": UPGRADE, "eventsource": {"Accept": "text/event-stream"}}
OPEN = {"websocket": 101, "eventsource": 200}


@pytest.fixture(scope="module")
def key():
    return Hs256("tests")


@pytest.fixture(scope="module")
def verified(key):
    with jwt_stack(key, nginx_workers=2, env={"LIMITS": "1"}) as own:
        yield own


@pytest.fixture(scope="module")
def unverified():
    with Stack(nginx_workers=2, env={"AUTH": "none", "LIMITS": "1"}) as own:
        yield own


@pytest.fixture
def keep():
    """Opens a socket and keeps it: (status, problem or None, connection)."""
    with ExitStack() as kept:

        def keep(stack, target, headers):
            connection = kept.enter_context(closing(socket.create_connection(("127.0.0.1", stack.port), TIMEOUT_S)))
            lines = [f"GET {target} HTTP/1.1", "Host: localhost",
                     *(f"{name}: {value}" for name, value in headers.items())]
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
            stream = connection.makefile("rb")
            status = int(stream.readline().split()[1])
            head = dict(line.decode().rstrip().lower().split(": ", 1) for line in iter(stream.readline, b"\r\n"))
            if status < 400:
                return status, None, connection
            assert head["content-type"] == "application/problem+json" and "x-request-id" in head
            assert int(head["retry-after"]) >= 1
            return status, json.loads(stream.read(int(head["content-length"]))), connection

        yield keep


def assert_limited(keep, stack, target, headers, kind, others):
    how = {**HOW[kind], **headers}
    kept = [keep(stack, target, how) for _ in range(ALLOWED)]
    assert {status for status, _, _ in kept} == {OPEN[kind]}
    status, problem, _ = keep(stack, target, how)
    assert (status, problem["status"], problem["code"]) == (429, 429, "too_many_requests")
    for target_, headers_ in others:
        assert keep(stack, target_, {**HOW[kind], **headers_})[0] == OPEN[kind]
    # A socket that ends makes room for another.
    kept[0][2].shutdown(socket.SHUT_RDWR)
    wait_until(lambda: keep(stack, target, how)[0] == OPEN[kind], 15, "there is room")
    for _, _, connection in kept:
        connection.close()


@pytest.mark.parametrize("kind", HOW)
def test_an_authenticated_caller_may_keep_fifty_sockets(verified, key, keep, kind):
    ann, bob = new_name("ann"), new_name("bob")
    others = [("/ws", bearer(key.token(bob))), (f"/ws?token={key.token(bob)}", {})]
    assert_limited(keep, verified, "/ws", bearer(key.token(ann)), kind, others)


def test_an_address_of_anonymous_callers_may_keep_fifty_sockets(unverified, keep):
    assert_limited(keep, unverified, "/ws?username=ann", {}, "websocket", [])
