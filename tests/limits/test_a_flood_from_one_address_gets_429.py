"""
limit_req imd_requests allows one address 200 requests a second and bursts of 1,000 (imd-http.conf, imd-fastcgi.conf).
nginx refuses the others, and they never reach imd.
"""
import re
import time

from slow import answers, connect, head, others_are_answered, until_ended
from stack import Stack

RATE, BURST = 200, 1000
REQUESTS = 3000
AT_ONCE = 500


def flood(stack, source):
    """Sends as fast as one client can; returns ({status: count}, the last refusal, the seconds it took)."""
    start = time.monotonic()
    statuses, refusal = {}, b""
    for _ in range(REQUESTS // AT_ONCE):
        with connect(stack, source) as client:
            request = head(b"GET", b"/conversations/?id=1")
            client.sendall((request + b"\r\n") * (AT_ONCE - 1) + request + b"Connection: close\r\n\r\n")
            came, _ = until_ended(client)
        for status in re.findall(rb"^HTTP/1.1 (\d+)", came, re.M):
            statuses[int(status)] = statuses.get(int(status), 0) + 1
        if b"HTTP/1.1 429" in came:
            refusal = came[came.rindex(b"HTTP/1.1 429"):]
    assert sum(statuses.values()) == REQUESTS
    return statuses, refusal, time.monotonic() - start


def test_requests_beyond_rate_and_burst_get_429_and_never_reach_imd(stack):
    before = answers(stack, "GET", "/conversations")
    with others_are_answered(stack):
        statuses, refusal, seconds = flood(stack, "127.0.0.4")
    assert BURST <= statuses[200] <= BURST + 1 + RATE * (seconds + 1)
    assert statuses == {200: statuses[200], 429: REQUESTS - statuses[200]}
    assert answers(stack, "GET", "/conversations") - before == statuses[200]
    for line in (b"Content-Type: application/problem+json", b"Retry-After: 1", b'"code":"too_many_requests"'):
        assert line in refusal


def test_without_limits_every_request_of_a_flood_is_answered():
    with Stack(imd_flags=["--user-rate=1", "--user-burst=1"]) as stack:
        statuses, _, _ = flood(stack, "127.0.0.4")
        assert statuses == {200: REQUESTS}
