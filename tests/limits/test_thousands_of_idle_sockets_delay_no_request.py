"""Without limits by address, as behind many addresses, idle sockets cost little memory and delay no request."""
import contextlib
import re
from pathlib import Path

import pytest

from slow import EVENTSOURCE, WEBSOCKET, nchan, others_are_answered, subscribe
from stack import Stack, children, wait_until

SOCKETS = 2000
# Memory of nginx and nchan, without what the kernel needs for a connection.
BYTES_PER_SOCKET = 30_000


def nginx_bytes(stack):
    """The memory of all processes of nginx. Shared pages count once."""
    pids = [stack.nginx_pid, *children(stack.nginx_pid)]
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    return sum(int(re.search(r"^Pss: +(\d+) kB", text, re.M)[1]) for text in rollups) * 1024


@pytest.mark.parametrize("lines", [WEBSOCKET, EVENTSOURCE], ids=["websocket", "eventsource"])
def test_2000_idle_sockets_cost_below_30_kb_each_and_delay_no_request(lines, record_property):
    with Stack(nginx_workers=2) as stack, contextlib.ExitStack() as cleanup:
        before = nginx_bytes(stack)
        with others_are_answered(stack):
            for number in range(SOCKETS):
                client, status = subscribe(stack, f"idle_{number}", lines)
                assert status in (101, 200)
                cleanup.enter_context(client)
            wait_until(lambda: nchan(stack)["subscribers"] == SOCKETS, 5, "nchan counts them all")
        each = (nginx_bytes(stack) - before) / SOCKETS
        record_property("bytes_per_socket", round(each))
        assert each < BYTES_PER_SOCKET
