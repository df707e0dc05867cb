"""
Sockets that open and close all the time while others post: one process of it; tests run one per core.

Users rest until they are silent again, open a socket (and verify it), and post at once. They must hear that message.
Before it they must hear each message of others whose POST began after the socket had opened and was answered before
their own began, because imd pushes the messages of a conversation in the order of their commits.
"""
import asyncio
import collections
import json
import random
import time

HANDSHAKE = ("GET /ws?username={} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
HEAR_S = 10
PING_S = 5
# imd asks about a user 10 s after their last grant; they become silent soon after.
REST_S = 12
# nginx closes a connection after 1,000 requests.
REQUESTS_MAX = 900

Group = collections.namedtuple("Group", "id members log")  # log: the latest (begun, answered, content)


class Poster:
    """One kept connection, for one post at a time."""

    def __init__(self, port):
        self._port, self._left, self._reader, self._writer = port, 0, None, None

    async def _ask(self, request):
        if self._left == 0:
            self.close()
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._left = REQUESTS_MAX
        self._left -= 1
        self._writer.write(request)
        status, head = await read_head(self._reader)
        answer = await self._reader.readexactly(int(head.lower().split(b"content-length:")[1].split()[0]))
        assert status == 200, (status, answer)

    async def post(self, group, username):
        begun = time.monotonic()
        content = f"{username} {begun}"
        body = json.dumps({"conversation_id": group.id, "username": username, "content": content}).encode()
        await self._ask(b"POST /messages/ HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        group.log.append((begun, time.monotonic(), content))
        return begun, content

    async def ping(self, username):
        """Makes imd push a frame to the user."""
        path = f"/conversations?limit=1&ping=true&username={username}"
        await self._ask(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def close(self):
        if self._writer:
            self._writer.close()


async def read_head(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    return int(head.split()[1]), head


async def read_frame(reader):
    """Reads the opcode and text of one frame of a server, which is never masked or fragmented."""
    first, length = await reader.readexactly(2)
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    elif length == 127:
        length = int.from_bytes(await reader.readexactly(8), "big")
    return first & 15, await reader.readexactly(length)


async def hear(reader, heard, content):
    """Adds frames to `heard` until this message has come."""
    while content not in heard:
        opcode, text = await read_frame(reader)
        if opcode == 1:
            heard.update(event["message"]["content"] for event in json.loads(text)["events"]
                         if event["event"] == "message.created")


async def works(reader, poster, username):
    """True if a ping's frame arrives."""
    await poster.ping(username)
    try:
        await asyncio.wait_for(read_frame(reader), PING_S)
        return True
    except asyncio.TimeoutError:
        return False


async def listen_once(port, poster, verifies, group, username):
    """Returns how many messages of others had to arrive, and did. None: a ping has shown that nginx subscribes late."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(HANDSHAKE.format(username).encode())
        status, head = await read_head(reader)
        assert status == 101, head
        if verifies and not await works(reader, poster, username):
            return None
        opened = time.monotonic()
        heard = set()
        # Every other user posts at once; during the others' pause some hear posts of others.
        if random.random() < 0.5:
            await asyncio.sleep(random.random() * 0.05)
        begun, content = await poster.post(group, username)
        await asyncio.wait_for(hear(reader, heard, content), HEAR_S)
        owed = {other for other_begun, answered, other in group.log if other_begun > opened and answered < begun}
        assert owed <= heard, owed - heard
        return len(owed)
    finally:
        writer.close()


async def keep_listening(port, seats, verifies, deadline, tally):
    poster = Poster(port)
    while time.monotonic() < deadline:
        rested_at, group, username = seats.popleft()
        wait_s = rested_at - time.monotonic()
        if wait_s > 0:
            seats.appendleft((rested_at, group, username))
            await asyncio.sleep(min(wait_s, 0.1))
            continue
        try:
            owed = await listen_once(port, poster, verifies, group, username)
            tally["heard"] += owed is not None
            tally["unsubscribed"] += owed is None
            tally["owed"] += owed or 0
        except (AssertionError, asyncio.TimeoutError) as fault:
            tally["faults"].append(f"{username} of {group.id}: {fault!r}")
        seats.append((time.monotonic() + REST_S, group, username))
    poster.close()


async def keep_posting(port, groups, deadline, pause_s):
    """Posts by one member of each group in turn."""
    poster = Poster(port)
    while time.monotonic() < deadline:
        for group in groups:
            await poster.post(group, group.members[0])
            await asyncio.sleep(pause_s)
    poster.close()


def as_groups(groups):
    return [Group(group_id, members, collections.deque(maxlen=100)) for group_id, members in groups]


async def churn(port, groups, seconds, sockets, verifies):
    groups = as_groups(groups)
    deadline = time.monotonic() + seconds
    # The first user of each group only posts.
    seats = collections.deque((0, group, member) for group in groups for member in group.members[1:])
    tally = {"heard": 0, "owed": 0, "unsubscribed": 0, "faults": []}
    await asyncio.gather(keep_posting(port, groups, deadline, 0.01),
                         *(keep_listening(port, seats, verifies, deadline, tally) for _ in range(sockets)))
    return tally


def run(port, groups, seconds, sockets, verifies):
    """Each client verifies its subscription by a ping if it `verifies`."""
    return asyncio.run(churn(port, groups, seconds, sockets, verifies))


def warm_up(port, groups, seconds):
    """Only posts, so that users who do not listen become silent."""
    asyncio.run(keep_posting(port, as_groups(groups), time.monotonic() + seconds, 0))
