"""
1,000 users with one WebSocket each, and how long a message takes to reach them.

One epoll loop reads all sockets and sends at a steady rate, on raw sockets: a library would cost more than imd. Every
text contains a number, so each frame is counted once for each reader that should receive it.
"""
import base64
import os
import re
import select
import socket
import struct
import time

NUMBER = re.compile(rb"bench-(\d{8})-")
TIMEOUT_S = 10
OPCODE_TEXT, OPCODE_CLOSE, OPCODE_PING = 1, 8, 9


class Broken(Exception):
    """An unexpected answer: the figures of this run mean nothing."""


def take_frame(buffer):
    """
    Removes the server's first whole frame from the bytearray, and returns (opcode, payload); None if there is none yet.
    """
    if len(buffer) < 2:
        return None
    head, length = 2, buffer[1] & 127
    if length == 126:
        head = 4
    elif length == 127:
        head = 10
    if len(buffer) < head:
        return None
    if head > 2:
        length = int.from_bytes(buffer[2:head], "big")
    if len(buffer) < head + length:
        return None
    opcode, payload = buffer[0] & 15, bytes(buffer[head:head + length])
    del buffer[:head + length]
    return opcode, payload


def take_answer(buffer):
    """Removes the first whole HTTP answer from the bytearray. Returns (status, whether the server closes), or None."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(buffer[:end]).lower()
    length = re.search(rb"content-length: (\d+)", head)
    if length:
        size = end + 4 + int(length[1])
    else:
        last_chunk = buffer.find(b"\r\n0\r\n\r\n", end + 2)
        size = last_chunk + 7 if last_chunk >= 0 else len(buffer) + 1
    if len(buffer) < size:
        return None
    del buffer[:size]
    return int(head[9:12]), b"connection: close" in head


class Subscriber:
    """One user's open WebSocket."""

    def __init__(self, address, path, on_text):
        self.on_text = on_text
        self.buffer = bytearray()
        self.socket = socket.create_connection(address, TIMEOUT_S)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            got = self.socket.recv(4096)
            if not got:
                raise Broken(f"{path} was closed: {bytes(self.buffer)}")
            self.buffer += got
        if not self.buffer.startswith(b"HTTP/1.1 101"):
            raise Broken(f"{path} answered {bytes(self.buffer)}")
        del self.buffer[:self.buffer.find(b"\r\n\r\n") + 4]
        self.socket.setblocking(False)

    def readable(self):
        got = self.socket.recv(65536)
        now = time.perf_counter()
        if not got:
            raise Broken("a WebSocket was closed")
        self.buffer += got
        while (frame := take_frame(self.buffer)) is not None:
            opcode, payload = frame
            if opcode == OPCODE_TEXT:
                self.on_text(payload, now)
            elif opcode == OPCODE_PING:
                # The mask is zero, so the payload goes back as it came. A control frame has below
                # 126 bytes.
                self.socket.sendall(struct.pack(">BBI", 0x8A, 0x80 | len(payload), 0) + payload)
            elif opcode == OPCODE_CLOSE:
                raise Broken(f"a WebSocket was closed: {payload}")


class Client:
    """A kept HTTP connection for one request after the other."""

    def __init__(self, address):
        self.address = address
        self.socket = self.connect()

    def connect(self):
        connection = socket.create_connection(self.address, TIMEOUT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def exchange(self, request):
        """Returns when it was sent, and when it was answered (perf_counter)."""
        buffer = bytearray()
        sent = time.perf_counter()
        self.socket.sendall(request)
        while (answer := take_answer(buffer)) is None:
            got = self.socket.recv(65536)
            if not got:
                raise Broken(f"not answered: {request}")
            buffer += got
        answered = time.perf_counter()
        status, closes = answer
        if status != 200:
            raise Broken(f"{status} for {request}")
        if closes:
            self.close()
            self.socket = self.connect()
        return sent, answered

    def close(self):
        self.socket.close()


class Sender:
    """Kept HTTP connections to one address. Each carries one request at a time, so a slow one delays no other."""

    def __init__(self, address, loop):
        self.address, self.loop = address, loop
        self.idle, self.in_flight = [], 0

    def send(self, request):
        connection = self.idle.pop() if self.idle else Connection(self)
        connection.socket.sendall(request)
        self.in_flight += 1

    def answered(self, connection, status, closes):
        self.in_flight -= 1
        if status not in (200, 201, 202):
            raise Broken(f"a post was answered {status}")
        if closes:
            self.loop.remove(connection)
        else:
            self.idle.append(connection)

    def close(self):
        for connection in self.idle:
            self.loop.remove(connection)


class Connection:
    def __init__(self, sender):
        self.sender = sender
        self.buffer = bytearray()
        if isinstance(sender.address, tuple):
            self.socket = socket.create_connection(sender.address, TIMEOUT_S)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(sender.address)
        sender.loop.add(self)

    def readable(self):
        got = self.socket.recv(65536)
        if not got:
            if self in self.sender.idle:  # nginx has closed an idle connection
                self.sender.idle.remove(self)
                self.sender.loop.remove(self)
                return
            raise Broken("a post was not answered")
        self.buffer += got
        while (answer := take_answer(self.buffer)) is not None:
            self.sender.answered(self, *answer)


class Loop:
    """epoll over objects with a `socket` and a `readable()`."""

    def __init__(self):
        self.epoll = select.epoll()
        self.members = {}

    def add(self, member):
        self.members[member.socket.fileno()] = member
        self.epoll.register(member.socket, select.EPOLLIN)

    def remove(self, member):
        del self.members[member.socket.fileno()]
        self.epoll.unregister(member.socket)
        member.socket.close()

    def turn(self, timeout_s):
        for descriptor, _ in self.epoll.poll(max(timeout_s, 0)):
            member = self.members.get(descriptor)
            if member:
                member.readable()

    def close(self):
        for member in self.members.values():
            member.socket.close()
        self.epoll.close()


def post(prefix, conversations):
    """Renders posts. conversations[group] is (conversation, sender)."""
    def render(number, group):
        conversation, name = conversations[group]
        body = f'{{"conversation_id":{conversation},"username":"{name}","content":"bench-{number:08}-a message"}}'
        return (f"POST {prefix}/messages/ HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode()
    return render


def publish(text, groups):
    """Renders publishes directly to nchan, of a frame like `text`, which imd has sent."""
    before, after = (part.decode() for part in NUMBER.split(text)[::2])

    def render(number, group):
        body = f"{before}bench-{number:08}-{after}"
        return (f"POST /pub HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                f"X-Channels: {','.join(groups[group])}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode()
    return render


class Audience:
    """All users' sockets: `groups` is a list of lists of names, each user in one group."""

    def __init__(self, address, prefix, groups):
        self.loop = Loop()
        self.groups = groups
        self.sent, self.group_of = {}, {}  # by number: the time, and the group
        self.seen, self.latencies = set(), []  # (number, name) of frames that came; seconds
        self.repeated = self.next_number = 0
        self.last_text = None
        for group in groups:
            for name in group:
                self.loop.add(Subscriber(address, f"{prefix}/ws/?username={name}", self.reader(name)))

    def reader(self, name):
        def on_text(payload, now):
            found = NUMBER.search(payload)
            number = int(found[1]) if found else -1
            if number not in self.group_of and 0 <= number < self.next_number:
                return  # a repeat from an earlier run
            if number not in self.group_of or name not in self.groups[self.group_of[number]]:
                raise Broken(f"{name} got a frame for another user: {payload}")
            self.last_text = payload
            if (number, name) in self.seen:
                self.repeated += 1
                return
            self.seen.add((number, name))
            self.latencies.append(now - self.sent[number])
        return on_text

    def send(self, sender, render):
        number, self.next_number = self.next_number, self.next_number + 1
        group = number * 37 % len(self.groups)
        request = render(number, group)
        self.group_of[number], self.sent[number] = group, time.perf_counter()
        sender.send(request)

    def run(self, sender, render, rate, seconds):
        """Sends at `rate` a second, however fast the answers come, then waits for the rest. Returns the figures."""
        self.sent.clear(), self.group_of.clear(), self.seen.clear(), self.latencies.clear()
        self.repeated = 0
        posts = max(1, round(rate * seconds))
        expected = posts * len(self.groups[0])
        start = time.perf_counter()
        lag = 0
        for post in range(posts):
            due = start + post / rate
            while (now := time.perf_counter()) < due:
                self.loop.turn(due - now)
            lag = max(lag, now - due)
            self.send(sender, render)
        deadline = time.perf_counter() + TIMEOUT_S
        while (len(self.seen) < expected or sender.in_flight) and time.perf_counter() < deadline:
            self.loop.turn(0.1)
        ordered = sorted(self.latencies) or [float("nan")]
        return {"posts": posts, "frames": len(self.seen), "lost": expected - len(self.seen), "repeated": self.repeated,
                "p50_ms": ordered[len(ordered) // 2] * 1e3, "p99_ms": ordered[len(ordered) * 99 // 100] * 1e3,
                "client_late_ms": lag * 1e3}

    def close(self):
        self.loop.close()
