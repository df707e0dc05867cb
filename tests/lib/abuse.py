#!/usr/bin/python3
"""
One caller who sends one kind of request as fast as the limits allow, in a process of its own.

    abuse.py KIND SECONDS < ORDER      prints {"statuses": {"200": 12, …}}

ORDER is JSON: {"url", "source", "token", "name", …and more for some kinds}. After a 429 it pauses for a moment, as an
attacker would to get the most out of a limit. tests/lib/neighbours.py starts it.
"""
import collections
import http.client
import itertools
import json
import sys
import threading
import time
import urllib.parse

PAUSE_S = 0.05
# How many connections each kind uses at once.
CONNECTIONS = {"presence": 32, "creations": 4}


def posts(order):
    """Posts of 300 bytes into one group, however many members it has."""
    body = {"conversation_id": order["group"], "username": order["name"], "content": "x" * 300}
    return itertools.repeat(("POST", "/messages/", body))


def long_posts(order):
    """Posts so long that nchan's copies for all members together are large."""
    body = {"conversation_id": order["group"], "username": order["name"], "content": "x" * 14000}
    return itertools.repeat(("POST", "/messages/", body))


def creations(order):
    for number in itertools.count():
        yield "POST", "/conversations/", {"type": "group_chat", "username": order["name"],
                                          "members": [f"n{number}_{member}" for member in range(20000)]}


def churn(order):
    """Joins and leaves."""
    body = {"username": order["name"]}
    for word in itertools.cycle(("leave", "join")):
        yield "POST", f"/conversations/{order['group']}/{word}", body


def titles(order):
    """Sets the title that one's own large group already has, and is refused at another group."""
    for group in itertools.cycle((order["group"], order["foreign"])):
        yield "PATCH", f"/conversations/{group}", {"username": order["name"], "title": ""}


def reactions(order):
    """Reacts, removes the reaction, and reads, at a message with many reactions."""
    path = f"/messages/{order['message']}"
    own = f"{path}/reactions/%F0%9F%91%8D?username={order['name']}"
    return itertools.cycle((("PUT", own, None), ("GET", path, None), ("DELETE", own, None)))


def by_id(order):
    path = "/conversations/?" + "&".join(f"id={group}" for group in order["groups"])
    return itertools.repeat(("GET", path, None))


def presence(order):
    return itertools.repeat(("GET", f"/conversations/{order['group']}/presence", None))


def lists(order):
    """Reads one's own list, of conversations with many own messages, and all received messages."""
    return itertools.cycle((("GET", f"/conversations/?username={order['name']}", None),
                            ("GET", f"/messages/?username={order['name']}&after=0", None)))


KINDS = {each.__name__: each for each in (posts, long_posts, creations, churn, titles, reactions, by_id, presence, lists)}


class Abuse:
    def __init__(self, kind, seconds, order):
        self.until = time.monotonic() + seconds
        self.order = order
        self.requests = KINDS[kind](order)
        self.turn = threading.Lock()
        self.statuses = collections.Counter()
        self.threads = [threading.Thread(target=self.go_on) for _ in range(CONNECTIONS.get(kind, 8))]

    def go_on(self):
        at = urllib.parse.urlsplit(self.order["url"])
        connection = None
        while time.monotonic() < self.until:
            with self.turn:
                method, path, body = next(self.requests)
            connection = connection or http.client.HTTPConnection(at.hostname, at.port, timeout=60,
                                                                  source_address=(self.order["source"], 0))
            try:
                connection.request(method, at.path + path, None if body is None else json.dumps(body),
                                   {"Authorization": f"Bearer {self.order['token']}"})
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, http.client.HTTPException) as fault:
                status = type(fault).__name__
                connection.close()
                connection = None
            with self.turn:
                self.statuses[str(status)] += 1
            if status != 200:
                time.sleep(PAUSE_S)

    def run(self):
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join()
        return {"statuses": dict(self.statuses)}


if __name__ == "__main__":
    print(json.dumps(Abuse(sys.argv[1], float(sys.argv[2]), json.load(sys.stdin)).run()))
