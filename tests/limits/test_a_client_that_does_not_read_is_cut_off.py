"""
send_timeout (imd-server.conf: 20 s; here 1 s) ends the connection, and reset_timedout_connection frees what the kernel
buffered. nginx buffers answers (fastcgi_buffering), so imd's threads are free before the client has read anything.
"""
import contextlib
import select
import time

from api import Client, new_name
from slow import connect, head, others_are_answered

# More clients than imd has threads in this stack.
CLIENTS = 20
# Requests on one connection. Their answers exceed what the kernel buffers for a client that does
# not read.
PIPELINED = 40


def test_clients_that_do_not_read_their_answers_are_reset(stack):
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
    """Waits for a reset, which poll() reports before the answers are read. A plain close would come after them."""
    poll = select.poll()
    poll.register(client, 0)
    assert poll.poll(5000), "neither reset nor closed"
