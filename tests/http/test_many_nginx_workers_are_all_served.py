"""A host may run more nginx workers than imd has threads, and each worker keeps connections open."""
import asyncio
import re
import time

import pytest

from api import Client, new_name
from stack import Stack

NGINX_WORKERS = 16
EACH = 20
SLOWEST_S = 5


async def one_client(port, head):
    """Returns how many seconds each answer took. Any status but 200 fails."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took = []
    for _ in range(EACH):
        begin = time.monotonic()
        writer.write(head)
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 4 * SLOWEST_S)
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        await reader.readexactly(int(re.search(rb"\r\ncontent-length: *(\d+)", answer, re.I)[1]))
        took.append(time.monotonic() - begin)
    writer.close()
    await writer.wait_closed()
    return took


@pytest.mark.parametrize("threads, clients", [(16, 64), (64, 256)])
def test_all_requests_are_answered_within_seconds(threads, clients):
    flags = ["--processes=2", f"--threads={threads // 2}"]
    with Stack(imd_flags=flags, nginx_workers=NGINX_WORKERS) as stack:
        alice = new_name()
        with Client(stack) as api:
            api.send(api.group(alice), alice)
        head = f"GET /messages/?username={alice} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

        async def all_clients():
            return await asyncio.gather(*(one_client(stack.port, head) for _ in range(clients)))

        took = [seconds for each in asyncio.run(all_clients()) for seconds in each]
        assert len(took) == clients * EACH
        assert max(took) < SLOWEST_S
