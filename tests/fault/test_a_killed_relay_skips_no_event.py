"""Events may come twice, but in order within each conversation, and none is skipped."""
import os
import signal

from chat import Chat
from load import Load, first_occurrences
from stack import Stack, children, wait_until

KILLS = 3


def relays(stack):
    """Returns the process ids of the relay: one, or none while its place is empty."""
    return children(stack.master_pid, "imd-relay")


def test_a_relay_killed_under_load_skips_no_event(listen):
    with Stack(imd_flags=["--threads=8"]) as stack:
        load = Load(stack, Chat(stack))
        ears = [listen(stack, user, kind) for user, kind in zip(load.users, ("websocket", "eventsource"))]
        with load:
            for _ in range(KILLS):
                load.wait_answered(150)
                [killed] = relays(stack)
                os.kill(killed, signal.SIGKILL)
                load.wait_answered(150)
                wait_until(lambda: relays(stack) not in ([], [killed]), 15, "another relay")
        assert not load.failed, "posts do not depend on the relay"
        for conversation in load.conversations:
            last = load.chat.conversation(conversation)["version"]
            for ear in ears:
                ear.wait(lambda: any(e["version"] == last for e in ear.about(conversation["id"])), "the last version")
                assert first_occurrences(ear.about(conversation["id"])) == list(range(2, last + 1))
