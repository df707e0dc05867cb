"""
What ends it: send_timeout (imd-server.conf: 20 s; here 1 s); reset_timedout_connection gives back what the kernel held.
imd's threads are free as soon as nginx has the answer: fastcgi_buffering.
"""
import contextlib
import select
import time

from api import Client, new_name
from slow import connect, head, others_are_answered

# More than imd has threads in this stack.
CLIENTS = 20
# On one connection, one after the other: more than the kernel holds for who does not read.
PIPELINED = 40


def test_pages_upon_pages(stack):
    name = new_name("talker")
    with Client(stack) as api:
        group = api.group(name)
        for _ in range(12):
            api.send(group, name, "x" * 60_000)
    request = head(b"GET", b"/messages/?conversation_id=%d" % group) + b"\r\n"
    with contextlib.ExitStack() as cleanup, others_are_answered(stack):
        clients = [cleanup.enter_context(connect(stack, receive_bytes=4096)) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(request * PIPELINED)
        start = time.monotonic()
        for client in clients:
            wait_for_reset(client)
        assert time.monotonic() - start < 5


def wait_for_reset(client):
    """A reset is told without reading; a mere close would come after all that was not read."""
    poll = select.poll()
    poll.register(client, 0)
    assert poll.poll(5000), "neither reset nor closed"
