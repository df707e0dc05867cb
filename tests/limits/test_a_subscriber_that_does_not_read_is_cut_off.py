"""
Two have a buffer full and read nothing. What ends the EventSource: send_timeout (imd-server.conf: 10 s; here 0.5 s). It
must be shorter than nchan_eventsource_ping_interval (25 s; here 1 s), because whatever nchan sends begins it anew. It
ends the WebSocket too, if the second unanswered ping does not come first. An EventSource answers nothing: one that has
nothing to read stays until the kernel finds its peer gone.
"""
import contextlib
import time

from api import Client, new_name
from slow import EVENTSOURCE, WEBSOCKET, nchan, others_are_answered, subscribe
from stack import wait_until

CLIENTS = 20
# 60 kB each: what the kernel holds for who does not read is less.
MESSAGES = 120


def test_what_they_held_of_nchans_memory_comes_back(stack):
    name = new_name()
    with contextlib.ExitStack() as cleanup, Client(stack) as api, others_are_answered(stack):
        group = api.group(name)
        for number in range(CLIENTS):
            client, status = subscribe(stack, name, (WEBSOCKET, EVENTSOURCE)[number % 2], receive_bytes=4096)
            assert status in (101, 200)
            cleanup.enter_context(client)
        # Counted a moment after the status line is sent.
        wait_until(lambda: nchan(stack)["subscribers"] == CLIENTS, 5, "nchan counts them all")
        for _ in range(MESSAGES):
            api.send(group, name, "x" * 60_000)
        assert nchan(stack)["shared memory used"] > 1000
        start = time.monotonic()
        wait_until(lambda: nchan(stack)["subscribers"] == 0, 10, "all are ended")
        assert time.monotonic() - start < 5
        # nchan looks every five seconds for messages that are older than three.
        wait_until(lambda: nchan(stack)["shared memory used"] < 1000, 20, "the memory is given back")
