"""
Two people who talk while one caller abuses the same imd: which answers and pushes they get, and how fast.

    with open_street() as street:
        quiet = street.talk(5)
        loud = street.talk(5, "posts")

The shipped limits apply, callers have tokens, and the abuser has an address of its own.
"""
import concurrent.futures
import contextlib
import http.client
import itertools
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import listeners
from stack import Stack, wait_until
from tokens import Hs256

ABUSE = Path(__file__).with_name("abuse.py")
ABUSER, OTHERS = "127.0.0.4", "127.0.0.3"
EVERY_S = 0.1
# By then each push must have come. The bench measures the times.
PUSHED_S = 30
CROWD, HALL = 20000, 1000


class Ear(listeners.WebSocket):
    """A socket that records when each message came."""

    def __init__(self, *arguments):
        self.came = {}  # content: time.monotonic()
        super().__init__(*arguments)

    def _hear(self, text):
        now = time.monotonic()
        for event in json.loads(text)["events"]:
            if event["event"] == "message.created" and "message" in event:
                self.came.setdefault(event["message"]["content"], now)
        super()._hear(text)


# Three requests each stay within one address's burst.
JOBS_OF_ADDRESS = 300


class Caller:
    """A user with a token and a connection."""

    def __init__(self, street, name, source=OTHERS, **claims):
        self.name, self.street = name, street
        self.token = street.key.token(name, lives_s=3600, **claims)
        self.headers = {"Authorization": f"Bearer {self.token}"}
        self._connection = http.client.HTTPConnection("127.0.0.1", street.stack.port, timeout=60,
                                                      source_address=(source, 0))

    def ask(self, method, path, body=None):
        """Returns (status, JSON, seconds)."""
        start = time.monotonic()
        self._connection.request(method, path, None if body is None else json.dumps(body), self.headers)
        answer = self._connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text), time.monotonic() - start

    def must(self, method, path, body=None):
        status, value, _ = self.ask(method, path, body)
        assert status == 200, (method, path, status, value)
        return value


class Talk:
    """
    The times of all posts, pages and pushes of two people, in seconds; answers other than 200; pushes that never came.
    """

    def __init__(self):
        self.posts, self.pages, self.pushes = [], [], []
        self.refused, self.lost = [], []
        self.abuse = {}  # the abuser's statuses

    def p90_s(self, what):
        times = sorted(getattr(self, what))
        return times[len(times) * 9 // 10]


class Street:
    def __init__(self, stack):
        self.stack = stack
        self.key = Hs256("dev", (stack.state / "keys/dev.hs256").read_bytes())
        self.root = Caller(self, "root", imd_admin=True)
        self.ann, self.bob = Caller(self, "ann"), Caller(self, "bob")
        self.eve = None  # another user for each kind, so that none pays for an earlier one
        self.pair = self.root.must("POST", "/conversations/", {"type": "private_chat", "members": ["ann", "bob"]})["id"]
        self.ear = Ear(f"ws://127.0.0.1:{stack.port}/ws/?username=bob", self.bob.headers)
        self._said = 0
        self._made = {}

    def close(self):
        self.ear.close()

    # -- preparations for the abuser, made by an administrator, who has no rate limit

    def group(self, count, owner=None, names="m"):
        """Returns a group of that many members, most of them new users."""
        owner = owner or self.eve.name
        made = self._made.get((count, owner))
        if made is None:
            members = [owner, *(f"{names}{number}" for number in range(count - 1))]
            made = self.root.must("POST", "/conversations/", {"type": "group_chat", "username": owner,
                                                              "members": members, "join": "open"})["id"]
            self._made[count, owner] = made
        return made

    def _as_many(self, count, job):
        """
        Calls job(caller, number) for each number, by several administrators at once, because each address has a limit
        too.
        """
        local, addresses = threading.local(), itertools.count(1)

        def run(number):
            if not hasattr(local, "root") or local.jobs == JOBS_OF_ADDRESS:
                address = next(addresses)
                local.root = Caller(self, "root", source=f"127.1.{address // 250}.{address % 250 + 1}", imd_admin=True)
                local.jobs = 0
            local.jobs += 1
            job(local.root, number)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(run, range(count)))

    def message_with_reactions(self, count):
        """
        Returns a message with reactions of users who were members only for a moment, so that few changes are pushed to
        many.
        """
        group = self.group(1)
        sent = self.root.must("POST", "/messages/", {"conversation_id": group, "username": self.eve.name, "content": "?"})["id"]

        def react(root, number):
            member = f"/conversations/{group}/members/m{number}"
            root.must("PUT", member, {"username": self.eve.name})
            root.must("PUT", f"/messages/{sent}/reactions/%F0%9F%98%80?username=m{number}")
            root.must("DELETE", f"{member}?username={self.eve.name}")

        self._as_many(count, react)
        return sent

    def talkative(self, conversations, messages):
        """Makes conversations with this many messages by eve."""
        ids = [self.root.must("POST", "/conversations/", {"type": "group_chat", "username": self.eve.name,
                                                          "members": [f"t{number}"]})["id"]
               for number in range(conversations)]
        self._as_many(conversations * messages, lambda root, number: root.must(
            "POST", "/messages/", {"conversation_id": ids[number % conversations], "username": self.eve.name, "content": "."}))

    def order(self, kind, large):
        """Returns the input of abuse.py. `large`: as much as in a real attack, not as in a short test."""
        self.eve = Caller(self, f"eve_{kind}")
        order = {"url": self.stack.url, "source": ABUSER, "token": self.eve.token, "name": self.eve.name}
        if kind in ("flood", "titles"):
            order["group"] = self.group(CROWD)
        if kind == "titles":
            order["foreign"] = self.group(CROWD, "foe")
        if kind in ("merging", "presence", "churn"):
            order["group"] = self.group(HALL, "foe" if kind == "churn" else None)
        if kind == "long_posts":
            # With names of its own, which imd does not know to be silent yet.
            order["group"] = self.group(HALL, names="long")
        if kind == "reactions":
            order["message"] = self.message_with_reactions(10000 if large else 500)
        if kind == "by_id":
            order["groups"] = [self.group(CROWD - number) for number in range(16 if large else 4)]
        if kind == "lists":
            self.talkative(*((20, 2000) if large else (10, 50)))
        return order

    # -- the talk

    def _say(self, talk):
        self._said += 1
        content = f"word {self._said}"
        start = time.monotonic()
        status, value, seconds = self.ann.ask(
            "POST", "/messages/", {"conversation_id": self.pair, "username": "ann", "content": content})
        talk.posts.append(seconds)
        if status != 200:
            talk.refused.append((status, value))
            return None
        return content, start

    def _look(self, talk):
        status, value, seconds = self.bob.ask("GET", f"/messages/?conversation_id={self.pair}&before_seq=9999999&limit=50")
        talk.pages.append(seconds)
        if status != 200:
            talk.refused.append((status, value))

    def talk(self, seconds, kind=None, large=False):
        """Ann posts ten times a second and bob reads and listens, while eve abuses."""
        talk, said, abuser = Talk(), {}, None
        if kind:
            order = self.order(kind, large)
            self.settle()
            program = {"flood": "posts", "merging": "posts"}.get(kind, kind)
            abuser = subprocess.Popen([sys.executable, ABUSE, program, str(seconds)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
            abuser.stdin.write(json.dumps(order))
            abuser.stdin.close()
        start = time.monotonic()
        turn = 0
        while time.monotonic() < start + seconds:
            if (word := self._say(talk)) is not None:
                said[word[0]] = word[1]
            self._look(talk)
            turn += 1
            time.sleep(max(0, start + turn * EVERY_S - time.monotonic()))
        if abuser:
            output = abuser.stdout.read()
            assert abuser.wait() == 0
            talk.abuse = json.loads(output)["statuses"]
        self._note_pushes(talk, said)
        return talk

    def _note_pushes(self, talk, said):
        try:
            wait_until(lambda: said.keys() <= self.ear.came.keys(), PUSHED_S, "each message is pushed")
        except AssertionError:
            talk.lost = sorted(said.keys() - self.ear.came.keys())
        talk.pushes = [self.ear.came[content] - at for content, at in said.items() if content in self.ear.came]

    def settle(self):
        """Waits until all earlier changes are pushed."""

        def pushed() -> bool:
            return self.root.ask("GET", "/healthz")[1]["outbox_pending"] == 0

        wait_until(pushed, PUSHED_S, "all changes are pushed")


# The kinds of abuse. docs/security.md and docs/performance.md have the figures.
KINDS = ("flood", "merging", "long_posts", "creations", "churn", "titles", "reactions", "by_id", "presence", "lists")


@contextlib.contextmanager
def open_street(**stack):
    with Stack(nginx_workers=2, env={"AUTH": "jwt", "LIMITS": "1"}, **stack) as found:
        street = Street(found)
        try:
            yield street
        finally:
            street.close()
