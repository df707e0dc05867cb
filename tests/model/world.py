"""
One run: a whole imd, random users, clients that must hold what their users may see, and all faults.

A seed repeats every decision: what each user does next and with which dice, which fault comes at which operation and
with which dice, and the fate of the n-th frame on each link. Each actor has its own random generator, so none depends
on another. A seed does not repeat the machine's timing: in which order the requests of different users are committed,
and so which conversations and messages the dice choose. So a failure often comes again with its seed, but not always.
"""
import random
import re
import shutil
import tempfile
import threading
from pathlib import Path

from audit import audit
from client import Client
from faults import Faults, plan
from link import Link, Odds
from rest import UNAVAILABLE, Rest
from stack import Stack, wait_until
from truth import OWN, SMALL, Truth, differences
from users import User

USERS = [f"user_{number}" for number in range(18)]
CLIENTS = 20     # the first users have two
CROWD = [f"crowd_{number}" for number in range(320)]  # so many that a large message is pushed without its text
HALL = 100  # members at the start, so that users who come and go cross the limit of small conversations
SILENCE_S = 0.5  # in place of a minute
SETTLE_S = 30
AHEAD = 25  # this many operations may begin before a fault that is due is over


class Stopped(Exception):
    """The run has failed elsewhere."""


class Count:
    """
    Counts the operations of a run that have begun. While a fault is due, further operations wait, so that it happens
    among them.
    """

    def __init__(self):
        self._changed = threading.Condition()
        self._limit = None  # None: no fault is due
        self._stopped = False
        self.begun = 0

    def begin(self):
        self._wait(lambda: self._limit is None or self.begun < self._limit)
        with self._changed:
            self.begun += 1
            self._changed.notify_all()

    def wait_for(self, operation):
        self.set_limit(operation + AHEAD)
        self._wait(lambda: self.begun >= operation)

    def set_limit(self, limit):
        with self._changed:
            self._limit = limit
            self._changed.notify_all()

    def stop(self):
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _wait(self, condition):
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or condition())
            if self._stopped:
                raise Stopped


class World:
    """The directory of a failed run is kept."""

    def __init__(self, seed):
        self.seed = seed
        self._count = Count()
        self._state = Path(tempfile.mkdtemp(prefix="imd-model-"))
        self._stack = Stack(imd_flags=["--threads=8"], nginx_workers=2, state=self._state)
        self._failures = []
        self._clients = []
        self._newcomers = []
        self._users = []

    def __enter__(self):
        self._stack.start()
        try:
            self._clients = [self._client(number) for number in range(CLIENTS)]
            self._users = self._populate()
            self._faults = Faults(self._stack, [client.link for client in self._clients])
            for client in self._clients:
                client.start()
            self._wait(lambda: all(client.recoveries_done for client in self._clients), "all are online")
        except BaseException as failure:
            self.__exit__(type(failure), failure, None)
            raise
        return self

    def __exit__(self, kind, failure, _):
        for client in self._clients + self._newcomers:
            client.stop()
        for user in self._users:
            user.rest.close()
        if failure is None:
            self._stack.stop()
            shutil.rmtree(self._state)
            return
        try:
            self._stack.stop()
        except AssertionError as worse:
            failure.args = (f"{failure}\nand then: {worse}",)
        failure.args = (f"{failure}\nThe run's directory: {self._state}",)

    def _client(self, number):
        """
        Creates a client. Clients differ in how bad their network is, in what they do when their user leaves, and in the
        size of their pages.
        """
        name, chance = USERS[number % len(USERS)], random.Random(f"{self.seed} client {number}")
        severity, freezes, limit = chance.choice((0.3, 1, 3)), chance.random() < 0.5, chance.choice((3, 10, 100))
        link = Link(self._address(name), Odds(chance, severity))
        return Client(self._stack, name, link, freezes=freezes, limit=limit, silence_s=SILENCE_S)

    def _address(self, name):
        return f"{self._stack.ws_url}/ws/?username={name}"

    def _populate(self):
        """Creates the initial conversations. The first one is the busiest."""
        rest, board = Rest(self._stack.port), []
        for members in (USERS, USERS[:5], USERS[::2] + CROWD[:HALL - len(USERS[::2])], USERS + CROWD):
            answer = rest.ask("POST", "/conversations/", {"type": "group_chat", "members": members})
            board.append(answer.json["id"])
        rest.close()
        return [User(self.seed, client, Rest(self._stack.port), [other for other in USERS if other != client.username],
                     board) for client in self._clients[:len(USERS)]]

    def progress(self):
        """Returns the progress in one line."""
        faults = ", ".join(f"{count} {kind}" for kind, count in sorted(self._faults.done.items()))
        frames, harmed = (sum(getattr(client.link, what) for client in self._clients) for what in ("seen", "harmed"))
        return f"{self._count.begun} operations, {frames} frames ({harmed} harmed), {faults}"

    # -- the phases

    def storm(self, operations):
        """Users act, while all kinds of faults happen."""
        self._act(operations, plan(self.seed, operations))
        self._faults.end()

    def calm(self, operations):
        """Users act without faults, and clients do not run the recovery recipe."""
        for client in self._clients:
            client.silence_s = None
        self._wait(lambda: all(client.link.patience_s is None and client.link.drained for client in self._clients),
                   "no client sends requests any more")
        asked, unavailable = [client.asked() for client in self._clients], self._unavailable()
        self._act(operations, [])
        self._everybody_reads_all()
        self._assert_equal(self._clients, [SMALL], "from pushes alone")
        for client, before in zip(self._clients, asked):
            assert client.asked() == before, (
                f"{client.username} missed something though nothing went wrong: {before}, now {client.asked()}:\n"
                + "\n".join(map(str, client.diary)))
        assert self._unavailable() == unavailable, "a request failed though nothing went wrong"

    def _everybody_reads_all(self):
        """A marker that was missed arrives when its user reads on."""
        truth = Truth(self._stack.database)
        for conversation in filter(truth.is_small, truth.conversations):
            members = [user for user in self._users if truth.is_member(user.name, conversation)]
            for user in members[:1]:
                user.say(conversation)
            for user in members:
                user.read_to(conversation, truth.conversations[conversation]["last_seq"] + 1)

    def _unavailable(self):
        askers = [client.rest for client in self._clients] + [user.rest for user in self._users]
        return sum(asker.failed[status] for asker in askers for status in UNAVAILABLE)

    def _act(self, operations, faults):
        """Runs each user on a thread of their own, and the faults on another."""
        jobs = [(self._bring_about, faults, self._count.begun)]
        jobs += [(self._let_act, user, operations // len(USERS)) for user in self._users]
        threads = [threading.Thread(target=self._guard, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._assert_no_failure()

    def _let_act(self, user, operations):
        for _ in range(operations):
            self._count.begin()
            user.act()

    def _bring_about(self, faults, begun):
        for fault in faults:
            self._count.wait_for(begun + fault.operation)
            self._faults.bring_about(fault)
        self._count.set_limit(None)

    def _guard(self, function, *args):
        try:
            function(*args)
        except Stopped:
            pass
        except BaseException as failure:
            self._failures.append(failure)
            self._count.stop()

    # -- assertions while nothing happens

    def assert_whole(self):
        """Asserts that after a silence every client agrees with the database, and so does a new one."""
        begun = [client.recoveries_begun for client in self._clients]
        self._wait(lambda: len(self._stack.workers()) >= 2, "all killed processes are replaced")
        self._wait(lambda: all(client.recoveries_done > before for client, before in zip(self._clients, begun)),
                   "every client has recovered")
        self._assert_equal(self._clients, [OWN], "after a silence")
        self._newcomers = [Client(self._stack, name, Link(self._address(name)), silence_s=None) for name in USERS]
        for client in self._newcomers:
            client.start()
        self._wait(lambda: all(client.recoveries_done for client in self._newcomers), "the newcomers have come")
        self._assert_equal(self._newcomers, [OWN, SMALL], "as new clients")
        for client in self._newcomers:
            client.stop()

    def assert_nobody_crashed(self):
        """Asserts that no process crashed, except by the faults."""
        died = [line for line in self._stack.log().splitlines()
                if "event=child_died" in line and " signal=9 " not in line]
        assert not died, "\n".join(died)

    def assert_books_right(self):
        """Asserts that the database is consistent, and agrees with the sent messages and with the lists."""
        truth = Truth(self._stack.database)
        truth.assert_sound()
        for user in self._users:
            user.assert_sent_once(truth)
        rest = Rest(self._stack.port)
        wrong = audit(truth, rest, USERS + CROWD[::40], self.seed)
        rest.close()
        assert not wrong, "the lists are not what the tables say:\n" + "\n".join(wrong[:5])

    def _assert_equal(self, clients, owed_markers, when):
        """Asserts that the clients agree with the database. Waits, because pushes may still be on their way."""
        rest, found = Rest(self._stack.port), {}
        self._wait(lambda: rest.get("/healthz").json["outbox_pending"] == 0, "all changes are pushed")
        rest.close()

        def equal():
            truth = Truth(self._stack.database)
            for client in clients:
                found[client] = differences(truth, client, owed_markers)
            return not any(found.values())

        try:
            self._wait(equal, "all clients agree with the database")
        except AssertionError:
            self._assert_no_failure()
            raise AssertionError(describe(when, found)) from None

    def _wait(self, condition, what):
        wait_until(lambda: self._failed() or condition(), SETTLE_S, what)
        self._assert_no_failure()

    def _failed(self):
        clients = self._clients + self._newcomers
        return self._failures + [client.failure for client in clients if client.failure]

    def _assert_no_failure(self):
        for failure in self._failed():
            raise failure


def describe(when, found):
    """Returns the first differences, with the clients' recent actions in the conversations concerned."""
    lines = [f"{sum(map(bool, found.values()))} of {len(found)} clients do not hold what their users must see, {when}:"]
    for client, sentences in found.items():
        for sentence in sentences[:3]:
            lines.append(f"  {client.username}, {sentence}")
            number = int(re.match(r"conversation (\d+)", sentence).group(1))
            lines += [f"      {what}" for about, what in list(client.diary) if about == number][-8:]
    return "\n".join(lines[:60])


def prove(seed, operations, watch=lambda world: None):
    """Makes a whole run. Raises AssertionError with the first differences; returns a summary in one line."""
    with World(seed) as world:
        watch(world)
        world.storm(operations)
        world.assert_whole()
        world.calm(operations // 10)
        world.assert_books_right()
        world.assert_nobody_crashed()
        return world.progress()
