"""
Subscribers whose buffers are full and who read nothing. send_timeout (imd-server.conf: 10 s; here 0.5 s) ends an
EventSource. It must be shorter than nchan_eventsource_ping_interval (25 s; here 1 s), because each ping restarts it. It
ends a WebSocket too, unless the second unanswered ping comes first. An EventSource answers no pings, so one with empty
buffers stays until the kernel finds its peer gone.
"""
import contextlib
import time

from api import Client, new_name
from slow import EVENTSOURCE, WEBSOCKET, nchan, others_are_answered, subscribe
from stack import wait_until

CLIENTS = 20
# 60 kB each. All together exceed what the kernel buffers for a subscriber.
MESSAGES = 120


def test_subscribers_that_do_not_read_are_cut_off_and_their_memory_freed(stack):
    name = new_name()
    with contextlib.ExitStack() as cleanup, Client(stack) as api, others_are_answered(stack):
        group = api.group(name)
        for number in range(CLIENTS):
            client, status = subscribe(stack, name, (WEBSOCKET, EVENTSOURCE)[number % 2], receive_bytes=4096)
            assert status in (101, 200)
            cleanup.enter_context(client)
        # nchan counts a subscriber a moment after it sends the status line.
        wait_until(lambda: nchan(stack)["subscribers"] == CLIENTS, 5, "nchan counts them all")
        for _ in range(MESSAGES):
            api.send(group, name, "x" * 60_000)
        assert nchan(stack)["shared memory used"] > 1000
        start = time.monotonic()
        wait_until(lambda: nchan(stack)["subscribers"] == 0, 10, "nchan ends all subscriptions")
        assert time.monotonic() - start < 5
        # Every five seconds nchan frees messages that are older than three seconds.
        wait_until(lambda: nchan(stack)["shared memory used"] < 1000, 20, "nchan frees the memory")
