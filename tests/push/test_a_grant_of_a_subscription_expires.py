"""nginx follows imd's redirect to nchan for 5 s at most, so imd knows when a grant can no longer be used."""
import os
import signal
import socket
import time

import pytest

from handshake import UPGRADE, request
from stack import Stack, children, wait_until

# Simulates an answer of imd that nginx reads late: the redirect, with these seconds.
SERVER = """
    location = /granted { rewrite ^ /_imd_sub/somebody?$arg_seconds? last; }
"""


@pytest.fixture(scope="module")
def own_stack():
    with Stack(server_extra=SERVER, imd_flags=["--processes=1"]) as stack:
        yield stack


def follow(stack, seconds):
    return request(stack, f"/granted?seconds={seconds}", UPGRADE)


def seconds_from(first, count=6):
    now = int(time.time())
    return "-".join(str(now + n) for n in range(first, first + count))


def test_a_grant_of_these_seconds_is_followed(own_stack):
    assert follow(own_stack, seconds_from(-1)).status == 101


@pytest.mark.parametrize("first", [-8, -3600, 3, 3600])
def test_a_grant_of_other_seconds_is_refused(own_stack, first):
    follow(own_stack, seconds_from(first)).assert_problem(503)


@pytest.mark.parametrize("seconds", ["", "-", "x", "{now}0", "1{now}", "{now}-x", "x-{now}", "{now}.", ".*"])
def test_a_malformed_grant_is_refused(own_stack, seconds):
    follow(own_stack, seconds.format(now=int(time.time()))).assert_problem(503)


def test_clients_cannot_forge_a_grant(own_stack):
    assert request(own_stack, f"/_imd_sub/somebody?{seconds_from(-1)}", UPGRADE).status == 404


def test_a_redirect_that_nginx_reads_six_seconds_later_is_refused(own_stack):
    before = answers(own_stack)
    # If nginx has not asked imd within the pause, the answer is not late.
    for tries, pause_s in enumerate((0.5, 2, 8), 1):
        answer = answer_read_late(own_stack, pause_s)
        if not answer.startswith(b"HTTP/1.1 101 "):
            break
    assert answer.startswith(b"HTTP/1.1 503 "), answer
    wait_until(lambda: answers(own_stack) == before + tries, 10, "imd has granted it nevertheless")


def answer_read_late(stack, pause_s):
    """imd answers while nginx hangs, so the redirect waits in the socket between them."""
    [imd_worker] = stack.workers()
    [nginx_worker] = children(stack.nginx_pid)
    head = "GET /ws?username=late HTTP/1.1\r\nHost: x\r\n" + "".join(f"{k}: {v}\r\n" for k, v in UPGRADE.items()) + "\r\n"
    with socket.create_connection(("127.0.0.1", stack.port), timeout=15) as connection:
        os.kill(imd_worker, signal.SIGSTOP)
        try:
            connection.sendall(head.encode())
            time.sleep(pause_s)
            os.kill(nginx_worker, signal.SIGSTOP)
        finally:
            os.kill(imd_worker, signal.SIGCONT)
        time.sleep(6.5)
        os.kill(nginx_worker, signal.SIGCONT)
        return connection.recv(4096)


def answers(stack):
    metrics = request(stack, "/metrics").body
    text = metrics.decode() if isinstance(metrics, bytes) else metrics
    line = [line for line in text.splitlines() if 'path="/ws"' in line and 'status="2xx"' in line]
    return int(line[0].split()[-1]) if line else 0
