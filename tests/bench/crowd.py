"""
Posts into a group of 10,000 members and into a group of 10: one at a time, in turn.

A post has two parts: the durable one, until it is answered, and the fan-out, until each member's channel has the frame.
They are measured separately. For the first, the relay has no nchan to push to (push_socket names no socket). Otherwise
the 40 publishes of one post would take CPU time from its answer and from the next post, and the figures would depend on
the number of processors. For the second everything runs. Its figures include the time until the answer, which shows how
much a fan-out delays the answer to its own post.
"""
import re
import socket
import statistics
import time

import load
import sockets
from stack import wait_until

CONNECTIONS = 8  # nginx's workers share them
NCHAN_DEADLINE_S = 20


def spread(times):
    ordered = sorted(times)
    return {"p50_ms": statistics.median(ordered) * 1e3, "p99_ms": ordered[len(ordered) * 99 // 100] * 1e3,
            "max_ms": ordered[-1] * 1e3}


def in_turn(groups, pairs):
    """Yields (number of the pair, group): each group once in each pair, in alternating order."""
    for pair in range(pairs):
        yield from ((pair, group) for group in (list(groups) if pair % 2 else reversed(groups)))


class Poster:
    """`groups` is {name: (conversation, sender)}."""

    def __init__(self, stack, groups):
        self.clients = [sockets.Client(("127.0.0.1", stack.port)) for _ in range(CONNECTIONS)]
        self.render = sockets.post(stack.prefix, groups)

    def post(self, pair, number, group):
        """Returns when it was sent and when it was answered. Both posts of a pair use the same connection."""
        return self.clients[pair % CONNECTIONS].exchange(self.render(number, group))

    def close(self):
        for client in self.clients:
            client.close()


def durable(stack, groups, pairs):
    """Returns {group: how long its posts took}."""
    poster = Poster(stack, groups)
    taken = {group: [] for group in groups}
    for pair, group in in_turn(groups, pairs):
        sent, answered = poster.post(pair, pair, group)
        taken[group].append(answered - sent)
    poster.close()
    return {group: {"posts": pairs, **spread(times)} for group, times in taken.items()}


def nchan_is_half_empty(stack):
    """True if there is room for many frames: nchan keeps each channel's copy for some seconds."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(stack.state / "push.sock"))
        connection.sendall(b"GET /status HTTP/1.0\r\nHost: bench\r\n\r\n")
        status = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    used, limit = (int(re.search(rf"shared memory {what}: (\d+)K", status)[1]) for what in ("used", "limit"))
    return used < limit / 2


class FanOut:
    """A few members of each group listen: `listeners` is {group: names}."""

    def __init__(self, stack, groups, listeners):
        self.stack, self.groups, self.listeners = stack, groups, listeners
        self.poster = Poster(stack, groups)
        self.backlog = load.Backlog(stack)
        self.loop = sockets.Loop()
        self.heard = set()  # (number of the post, name)
        self.next_number = 0
        for name in (name for names in listeners.values() for name in names):
            self.loop.add(sockets.Subscriber(("127.0.0.1", stack.port), f"{stack.prefix}/ws/?username={name}",
                                             self.reader(name)))

    def reader(self, name):
        def on_text(payload, _):
            self.heard.add((int(sockets.NUMBER.search(payload)[1]), name))
        return on_text

    def post(self, pair, group):
        """Returns the seconds until the answer, and until each channel of the group has the frame."""
        wait_until(lambda: nchan_is_half_empty(self.stack), NCHAN_DEADLINE_S, "nchan has room for many frames")
        number, self.next_number = self.next_number, self.next_number + 1
        sent, answered = self.poster.post(pair, number, group)
        wanted = {(number, name) for name in self.listeners[group]}
        while not wanted <= self.heard:
            if time.perf_counter() - sent > sockets.TIMEOUT_S:
                raise sockets.Broken(f"frames lost: {sorted(wanted - self.heard)}")
            self.loop.turn(0.1)
        # Most of the channels have no listener. For these, nchan's acknowledgement counts.
        while self.backlog.pending() > 0:
            continue
        return answered - sent, time.perf_counter() - sent

    def publishes(self):
        (_, metrics), = load.ask(self.stack.port, ["GET /metrics"])
        return int(re.search(rb"(?m)^imd_pushes_total (\d+)", metrics)[1])

    def run(self, pairs):
        """Returns {group: how long its posts and their fan-out took}, and how many publishes a pair made."""
        taken = {group: [] for group in self.groups}
        before = self.publishes()
        for pair, group in in_turn(self.groups, pairs):
            taken[group].append(self.post(pair, group))
        publishes = (self.publishes() - before) / pairs
        return {group: {"posts": pairs, "publishes_of_pair": publishes,
                        "answered": spread([answered for answered, _ in times]),
                        "everywhere": spread([everywhere for _, everywhere in times]),
                        "after_answer": spread([everywhere - answered for answered, everywhere in times])}
                for group, times in taken.items()}

    def close(self):
        self.poster.close()
        self.loop.close()
