"""
Clients that only know the ancestor's requests. After any fault of nginx or of their sockets, the next push completes
their store: they hold every message that they received, once, in order.
"""
import http.client
import random
import threading
from contextlib import ExitStack, closing

from ancestor import Ancestor
from api import Client
from stack import Stack, wait_until

USERS = ["ann", "ben", "cem", "dot"]
WRITERS = 4
BURST = 8      # messages that a writer sends in a row, about
PAUSE_S = 0.2  # then a pause, because each push makes each client send requests
ROUNDS = 2
WAIT_S = 30

RECEIVED = """
    SELECT m.id, s.conversation, a.name AS sender, m.content, m.timestamp
    FROM message m JOIN membership s ON s.conversation = m.place >> 32 JOIN account a ON a.id = m.sender
    WHERE s.account = (SELECT id FROM account WHERE name = ?) AND (m.place & 4294967295) > s.joined_seq
    AND (s.left_seq IS NULL OR (m.place & 4294967295) <= s.left_seq) ORDER BY m.id"""


class Crowd:
    """Threads that write, join and leave at random times until they are stopped."""

    def __init__(self, stack, conversations, groups):
        self._stack, self._conversations, self._groups = stack, conversations, groups
        self._ended = threading.Event()
        self.written = 0
        self.failures = []
        jobs = [(self._write, number) for number in range(WRITERS)] + [(self._wander, WRITERS)]
        self._threads = [threading.Thread(target=self._run, args=job) for job in jobs]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self, act, number):
        chance = random.Random(number)
        while not self._ended.is_set():
            try:
                with Client(self._stack) as api:
                    while not self._ended.is_set():
                        act(api, chance, number)
            except (OSError, http.client.HTTPException):
                self._ended.wait(0.01)  # nginx is down, so it is unknown whether the last one was stored
            except AssertionError as failure:
                self.failures.append(failure)
                return

    def _write(self, api, chance, number):
        body = {"conversation_id": chance.choice(self._conversations), "username": chance.choice(USERS),
                "content": f"{number} {self.written}"}
        answer = api.post("/messages", body)
        if answer.status != 403:  # a user who has just left
            answer.ok
            self.written += 1
        if chance.randrange(BURST) == 0:
            self._ended.wait(PAUSE_S)

    def _wander(self, api, chance, _):
        where, what = chance.choice(self._groups), chance.choice(("join", "leave"))
        assert api.post(f"/conversations/{where}/{what}", {"username": chance.choice(USERS)}).ok == {"result": "success"}
        self._ended.wait(PAUSE_S / BURST)

    def wait_written(self, more):
        wanted = self.written + more
        wait_until(lambda: self.written >= wanted or self.failures, WAIT_S, f"{more} messages more")


def break_things(stack, clients, crowd, number):
    """Breaks things in random order while the crowd goes on. Each fault ends some sockets."""
    some = clients[number % 2::2]
    things = [(some, lambda: [client.cut() for client in some]), (clients, stack.nginx_reload),
              (clients, lambda: (stack.nginx_stop(), stack.nginx_start()))]
    random.Random(number).shuffle(things)
    for concerned, thing in things:
        crowd.wait_written(60)
        before = [client.opened for client in concerned]
        thing()
        wait_online(concerned, before)


def wait_online(clients, before):
    """Waits until each client has opened a new socket."""
    for client, opened in zip(clients, before):
        wait_until(lambda: client.opened > opened, WAIT_S, f"{client.username} is online again")


def test_clients_hold_every_message_after_any_fault():
    with Stack(nginx_workers=2) as stack, ExitStack() as scope:
        clients = [scope.enter_context(Ancestor(stack, user)) for user in USERS]
        groups = [client.create("group_chat", *USERS) for client in clients[:3]]
        chat = clients[0].create("private_chat", USERS[1])
        wait_online(clients, [0] * len(clients))
        with Crowd(stack, [*groups, chat], groups) as crowd:
            for number in range(ROUNDS):
                break_things(stack, clients, crowd, number)
        assert not crowd.failures, crowd.failures
        last = say_goodbye(stack)
        for client in clients:
            wait_until(lambda: any(message["id"] == last for message in client.messages), WAIT_S,
                       f"{client.username} holds the last message")
        assert_whole(stack, clients)


def say_goodbye(stack):
    """Sends one more message to all of them when everything else is pushed. Returns its id."""
    with Client(stack) as api:
        wait_until(lambda: api.get("/healthz").ok["outbox_pending"] == 0, WAIT_S, "all changes are pushed")
        return api.send(api.group(*USERS), USERS[0], "goodbye")["id"]


def assert_whole(stack, clients):
    with stack.database.reading() as ask:
        for client in clients:
            assert not client.failures, client.failures
            received = ask(RECEIVED, client.username)
            held = [{name: message[name] for name in ("id", "conversation", "sender", "content", "timestamp")}
                    for message in client.messages]
            assert len(received) > 200, f"{client.username} has received {len(received)}: nothing is proved"
            assert held == received, f"{client.username} after {client.pulls} pulls"
            assert client.conversations.keys() >= {message["conversation"] for message in client.messages}
