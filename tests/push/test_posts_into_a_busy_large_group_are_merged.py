"""
Posts into a group of thousands, faster than nchan's memory allows. Some are pushed. The others are merged into one thin
event a few seconds later, which has the last version. A member who leaves meanwhile receives their leave, and small
groups do not wait.
"""
import os
import re
import signal

from chat import Chat
from stack import Stack, wait_until

MEMBERS = 5000
POSTS = 40


def test_members_receive_the_last_version(listen):
    with Stack() as stack:
        chat = Chat(stack)
        names = [f"crowd_{number}" for number in range(MEMBERS)]
        crowd = chat.group(*names)
        pair = chat.private("ann", "bob")
        chat.settle()
        member, leaver, bob = listen(stack, names[7], "websocket"), listen(stack, names[8], "eventsource"), \
            listen(stack, "bob", "websocket")
        for number in range(POSTS):
            chat.send(crowd, names[0], "x" * 1000)
        chat.leave(crowd, names[8])
        hello = chat.send(pair, "ann", "hello")
        assert [event["message"] for event in bob.wait_for(pair["id"], 1)] == [hello]
        version = POSTS + 2
        member.wait(lambda: any(event["version"] == version for event in member.about(crowd["id"])), "the last version")
        told = member.about(crowd["id"])
        assert [event["version"] for event in told] == sorted({event["version"] for event in told})
        assert len(told) < POSTS
        assert told[-1] == {"event": "conversation.updated", "conversation": crowd["id"], "version": version}
        leaver.wait(lambda: leaver.about(crowd["id"])[-1:] and leaver.about(crowd["id"])[-1]["event"] == "member.left",
                     "the leaving")
        assert not member.faults and not leaver.faults
        assert "push_refused" not in stack.log() and "push_dropped" not in stack.log()


def test_a_delayed_event_survives_the_relay(listen):
    """No later post follows, so no later event would replace it."""
    with Stack() as stack:
        chat = Chat(stack)
        names = [f"crowd_{number}" for number in range(MEMBERS)]
        crowd = chat.group(*names)
        chat.settle()
        member = listen(stack, names[7], "websocket")
        for number in range(POSTS):
            chat.send(crowd, names[0], "x" * 1000)
        assert chat.ask("GET", "/healthz").json()["outbox_pending"] > 0
        os.kill(stack.relay(), signal.SIGKILL)
        last = POSTS + 1
        member.wait(lambda: any(event["version"] == last for event in member.about(crowd["id"])), "the last version")
        wait_until(lambda: chat.ask("GET", "/healthz").json()["outbox_pending"] == 0, 30, "all changes are published")


def metric(chat, key):
    return int(re.search(rf"(?m)^{key} (\d+)$", chat.ask("GET", "/metrics").text)[1])


def wait_until_imd_asks_who_listens(chat):
    """
    Waits until imd asks nchan about users, which it does not in its first 10 s. Two users who do not listen show that
    it has begun.
    """
    pair = chat.private("yan", "zoe")

    def is_one_silent():
        chat.send(pair, "yan", "hello")
        return metric(chat, "imd_silent_names") > 0

    wait_until(is_one_silent, 60, "a user is silent")


def test_groups_without_listeners_do_not_delay_thin_events(listen):
    """When these groups are due, imd knows that they have no listeners, so nchan has nothing to do."""
    with Stack() as stack:
        chat = Chat(stack)
        crowd = [f"crowd_{number}" for number in range(2000)]
        groups = [chat.group("ann", *crowd) for _ in range(24)]
        last = chat.group("ann", "bob", *crowd)
        chat.settle()
        bob = listen(stack, "bob", "websocket")
        wait_until_imd_asks_who_listens(chat)
        pushes = metric(chat, "imd_pushes_total")
        for group in (*groups, last):
            chat.send(group, "ann", "x" * 5000)
        # If the posts are slow, the last group need not wait and gets the message itself.
        events = bob.wait(lambda: bob.about(last["id"]), "the event")
        assert events[-1]["version"] == 2
        wait_until(lambda: chat.ask("GET", "/healthz").json()["outbox_pending"] == 0, 60, "all changes are published")
        # A frame for all members takes 8 pushes, whether it is whole or thin. Few groups were
        # published to before imd knew.
        assert metric(chat, "imd_pushes_total") - pushes < len(groups) * 8 // 2
