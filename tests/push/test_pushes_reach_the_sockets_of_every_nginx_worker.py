"""A host runs many workers. A listener at one receives changes that are published through another."""
import pytest

from chat import Chat, contents, name
from stack import Stack, children

WORKERS = 4
SOCKETS = 24


@pytest.fixture(scope="module")
def stack():
    with Stack(nginx_workers=WORKERS) as stack:
        yield stack


def test_pushes_reach_the_sockets_of_every_worker(chat, listen, stack):
    assert len(children(stack.nginx_pid)) >= WORKERS
    members = [name("user") for _ in range(SOCKETS)]
    ears = [listen(stack, user, kind) for user, kind in zip(members, ("websocket", "eventsource") * SOCKETS)]
    conversation = chat.group(*members)
    sent = [f"post {number}" for number in range(100)]
    for content in sent:
        chat.send(conversation, members[0], content)
    for ear in ears:
        assert contents(ear.wait_for(conversation["id"], 1 + len(sent))) == sent


def test_a_socket_that_just_opened_receives_the_next_push(chat, listen, stack):
    ann, bob = name("ann"), name("bob")
    conversation = chat.private(ann, bob)
    for number in range(20):
        # Both new connections may be at any worker, and the push follows the 101 immediately.
        ear = listen(stack, ann, ("websocket", "eventsource")[number % 2])
        Chat(stack).send(conversation, bob, f"number {number}")
        assert contents(ear.wait_for(conversation["id"], 1, timeout_s=5))[-1] == f"number {number}"
