"""Only requests in progress at the killed worker may fail. The pool restores itself."""
import os
import signal
import threading

import pytest

from chat import Chat
from load import Load
from stack import Stack, wait_until

WORKERS = 2
KILLS = 3


def most_lost(clients):
    """
    Returns the most requests that one kill may fail. A connection of nginx to the dead worker fails the one request
    that is on it. nginx keeps about as many connections as there are clients, each with one request in progress. A
    dying process closes its connections one after the other, and meanwhile nginx may use one that is still open for the
    next request of a client that just lost one. So it may be the requests in progress plus the kept connections, but no
    more.
    """
    return 2 * clients


@pytest.fixture
def stack():
    with Stack(imd_flags=[f"--processes={WORKERS}", "--threads=8"]) as stack:
        yield stack


def whole_again(stack, killed):
    workers = stack.workers()
    return len(workers) == WORKERS and not set(workers) & set(killed)


def test_workers_killed_one_after_the_other_lose_no_answered_message(stack):
    load = Load(stack, Chat(stack))
    with load:
        for kill in range(KILLS):
            load.wait_answered(100)
            victim = stack.workers()[kill % WORKERS]
            before = len(load.failed)
            os.kill(victim, signal.SIGKILL)
            # The other worker serves while the place of this one is empty.
            load.wait_answered(100)
            wait_until(lambda: whole_again(stack, [victim]), 15, "the pool is whole again")
            load.wait_answered(50)
            failed = load.failed[before:]
            assert len(failed) <= most_lost(len(load.users)), failed
            assert all(failure.status == 502 for failure in failed), failed
    load.assert_stored_once()
    stack.database.assert_whole()


def test_all_workers_killed_at_once_lose_no_answered_message(stack):
    load = Load(stack, Chat(stack))
    with load:
        load.wait_answered(100)
        killed = stack.workers()
        for victim in killed:
            os.kill(victim, signal.SIGKILL)
        wait_until(lambda: whole_again(stack, killed), 15, "the pool is whole again")
        load.wait_answered(100)
    assert len(load.failed) <= most_lost(len(load.users)) * len(killed), load.failed
    load.assert_stored_once()
    stack.database.assert_whole()


def test_reads_succeed_while_a_worker_is_replaced(stack):
    chat = Chat(stack)
    load = Load(stack, chat)
    statuses, done = [], threading.Event()

    def read_on():
        reader = Chat(stack)
        while not done.is_set():
            statuses.append(reader.ask("GET", "/messages/", params={"conversation_id": load.conversations[0]["id"],
                                                                    "limit": 5}).status_code)

    readers = [threading.Thread(target=read_on) for _ in range(3)]
    with load:
        for reader in readers:
            reader.start()
        load.wait_answered(30)
        victim = stack.workers()[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: whole_again(stack, [victim]), 15, "the pool is whole again")
        load.wait_answered(30)
        done.set()
        for reader in readers:
            reader.join()
    assert set(statuses) <= {200, 502}
    assert statuses.count(502) <= most_lost(len(readers))
