"""
Posts into a group are so frequent that its messages share frames. Its members get nearly every message with its text,
and need not fetch it. Only if nchan's memory is full does an event come without text.
"""
import json
import subprocess
import sys

import pytest

from chat import Chat
from crowds import Crowd
from neighbours import ABUSE
from stack import Stack, wait_until

SECONDS = 4


def talk(stack, group, name):
    """Two programs post 300 bytes each, as fast as they are answered. Returns how many were stored."""
    order = json.dumps({"url": stack.url, "source": "127.0.0.1", "token": "", "name": name, "group": group})
    programs = [subprocess.Popen([sys.executable, ABUSE, "posts", str(SECONDS)], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for program in programs:
        program.stdin.write(order)
        program.stdin.close()
    answers = [json.loads(program.stdout.read())["statuses"] for program in programs]
    assert [program.wait() for program in programs] == [0, 0]
    assert all(set(statuses) == {"200"} for statuses in answers), answers
    return sum(statuses["200"] for statuses in answers)


@pytest.mark.parametrize("members, whole_at_least", [(100, 0.99)])
def test_members_get_the_text_with_the_event(members, whole_at_least):
    with Stack(nginx_workers=2) as stack:
        chat = Chat(stack)
        names = [f"member_{number}" for number in range(members)]
        group = chat.group(*names)
        chat.settle()
        with Crowd(stack.port, names) as crowd:
            posts = talk(stack, group["id"], names[0])
            chat.settle()
            wait_until(lambda: min(crowd.told()[0]) >= posts, 30, f"each receives {posts} messages")
            told, whole = crowd.told()
        assert sum(whole) >= whole_at_least * members * posts
        assert "push_refused" not in stack.log() and "push_dropped" not in stack.log()
