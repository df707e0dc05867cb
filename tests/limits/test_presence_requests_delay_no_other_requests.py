"""
A user's burst of presence requests, or a hanging nginx worker, neither fails nor delays requests of others.

Times are asserted loosely: they exclude waiting for round after round, or for a thread.
"""
import http.client
import os
import signal
import threading
import time

import pytest

from api import TIMEOUT_S, Client, at_once, new_name
from stack import Stack, children, wait_until

BURST = 64
# The deadline of a round (PRESENCE_ROUND_MS), and room for a busy machine.
ROUND_S = 1
SLACK_S = 1
# How long an answer is reused; the burst is repeated that often.
FRESH_S = 1
BURST_S = 4


@pytest.fixture(scope="module")
def own_stack():
    with Stack(nginx_workers=2, imd_flags=["--processes=1", "--threads=16"]) as stack:
        yield stack


def presence(client, group):
    """(status, online, seconds)"""
    started = time.monotonic()
    answer = client.get(f"/conversations/{group}/presence")
    return answer.status, answer.status == 200 and answer.ok["online"], time.monotonic() - started


def ask_without_check(stack, group):
    """
    Returns the status of an answer that may be 503: a burst may ask about more users than nchan can answer for in
    time.
    """
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", f"/conversations/{group}/presence")
        return connection.getresponse().status
    finally:
        connection.close()


def ask(stack, group):
    with Client(stack) as client:
        return presence(client, group)


def test_a_burst_about_one_large_group_gets_no_503(own_stack):
    with Client(own_stack) as client:
        group = client.group(*(new_name() for _ in range(1000)))
    answers = at_once([lambda: ask(own_stack, group)] * BURST)
    assert {status for status, _, _ in answers} == {200}


def test_a_burst_about_many_large_groups_does_not_delay_another_user(own_stack):
    """tests/unit/push_presence.c counts the questions that come first: those of two rounds at most."""
    with Client(own_stack) as client:
        large = [client.group(*(new_name() for _ in range(1000))) for _ in range(8)]
        small = client.group(new_name(), new_name())
        deadline = time.monotonic() + BURST_S
        seen = []

        def ask_as_another_user():
            while time.monotonic() < deadline:
                seen.append(presence(client, small))
                time.sleep(FRESH_S / 4)

        def ask_all_the_time(group):
            statuses = set()
            while time.monotonic() < deadline:
                statuses.add(ask_without_check(own_stack, group))
            return statuses

        statuses = at_once([lambda group=group: ask_all_the_time(group) for group in large] + [ask_as_another_user])
    assert set.union(*statuses[:-1]) <= {200, 503}
    assert {status for status, _, _ in seen} == {200}
    waited = [seconds for _, _, seconds in seen]
    assert len(waited) >= 3
    assert max(waited) < ROUND_S + SLACK_S


def test_a_hanging_nginx_worker_delays_no_known_answer_and_no_other_request(own_stack):
    with Client(own_stack) as client:
        groups = [client.group(*(new_name() for _ in range(20))) for _ in range(20)]
        for group in groups:
            assert presence(client, group)[0] == 200
    hung = children(own_stack.nginx_pid)[0]
    # Older than a second: nchan must be asked again, and half of the channels are the hung
    # worker's.
    time.sleep(1.1)
    os.kill(hung, signal.SIGSTOP)
    try:
        def ask_twice(group):
            return [ask(own_stack, group) for _ in range(2)]

        asking = threading.Thread(target=lambda: results.extend(at_once(
            [lambda group=group: ask_twice(group) for group in groups])))
        results = []
        asking.start()
        listed = []
        while asking.is_alive():
            with Client(own_stack) as client:
                started = time.monotonic()
                client.get(f"/messages?conversation_id={groups[0]}").ok
                listed.append(time.monotonic() - started)
            time.sleep(0.05)
        asking.join()
    finally:
        os.kill(hung, signal.SIGCONT)
    answers = [answer for pair in results for answer in pair]
    assert len(answers) == 40
    assert {status for status, _, _ in answers} == {200}
    assert max(seconds for _, _, seconds in answers) < ROUND_S + SLACK_S
    assert listed and max(listed) < ROUND_S
    wait_until(lambda: ask(own_stack, groups[0])[0] == 200, 5, "presence is answered again")
