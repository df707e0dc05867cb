"""
large_client_header_buffers, nginx's default (4 of 8 kB), allows 8 kB for the request line and for each header field,
and 32 kB in all. All cookies together are one field.
"""
import contextlib
import time

import pytest

from api import raw_request
from slow import PROMPT_S, others_are_answered

TIMES = 20
OVERSIZED = {
    "many_headers": (b"/healthz", [b"X-%d: %s" % (number, b"a" * 100) for number in range(1000)], 431),
    "very_many_small_headers": (b"/healthz", [b"X-%d: a" % number for number in range(100_000)], 431),
    "a_large_header": (b"/healthz", [b"X-A: " + b"a" * 9000], 431),
    "a_huge_header": (b"/healthz", [b"X-A: " + b"a" * 1_000_000], 431),
    "a_large_cookie": (b"/healthz", [b"Cookie: imd_token=" + b"a" * 9000], 431),
    "very_many_cookies": (b"/healthz", [b"Cookie: " + b"; ".join(b"c%d=1" % number for number in range(10_000))], 431),
    "a_large_token": (b"/healthz", [b"Authorization: Bearer " + b"a" * 9000], 431),
    "a_large_address": (b"/messages/" + b"a" * 9000, [], 414),
    "a_huge_address": (b"/messages/?username=" + b"a" * 1_000_000, [], 414),
    "very_many_parameters": (b"/conversations/?" + b"&".join(b"id=%d" % number for number in range(10_000)), [], 414),
    "a_name_without_end": (b"/healthz", [b"a" * 100_000], 431),
}


@pytest.mark.parametrize("name", OVERSIZED)
def test_oversized_headers_and_request_lines_get_a_problem_promptly(stack, name):
    target, headers, status = OVERSIZED[name]
    with others_are_answered(stack):
        for _ in range(TIMES):
            start = time.monotonic()
            raw_request(stack, b"GET", target, headers).problem(status)
            assert time.monotonic() - start < PROMPT_S
