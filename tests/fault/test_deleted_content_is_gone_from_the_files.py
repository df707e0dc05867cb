"""
Deleted content, and the content before an edit, is in no file: not in the tables, not in free pages, and not in the
write-ahead log after a checkpoint. The next housekeeping round ensures that by itself.
"""
import json
import random

import pytest

from api import Client
from stack import Stack, wait_until

pytestmark = pytest.mark.sqlite_only("the files are the server's, and VACUUM removes what was deleted")

PATIENCE_S = 30


def marker(number):
    return f"secret{number:06d}"


def content(number, size):
    """Repeats the marker, so that no page holds a part of the content without one."""
    return (marker(number) + " ") * size


def stored(stack):
    """All bytes of all files that imd writes messages to."""
    # The witness, which holds no messages, is replaced by renaming.
    return b"".join(path.read_bytes() for path in sorted(stack.state.glob("imd.db*")) if "-witness" not in path.name)


def found(stack, numbers):
    data = stored(stack)
    return [number for number in numbers if marker(number).encode() in data]


# From a few words to the longest, which takes 16 pages of its own.
@pytest.mark.parametrize("sizes", [[1], [1, 3, 40, 300, 1000, 4600]])
def test_deleted_and_edited_content_is_gone(sizes):
    chance = random.Random(4711)
    with Stack() as stack, Client(stack) as api:
        here, there = api.group("ann", "bob"), api.group("ann", "cid")
        sent = {number: api.send(chance.choice([here, there]), "ann", content(number, chance.choice(sizes)))
                for number in range(300)}
        assert found(stack, sent) == list(sent)
        numbers = sorted(sent, key=lambda _: chance.random())
        deleted, edited, kept = numbers[:100], numbers[100:200], numbers[200:]
        for number in deleted:
            assert api.request("DELETE", f"/messages/{sent[number]['id']}?username=ann").ok["content"] == ""
        for number in edited:
            # Shorter than, as long as, or longer than before.
            text = chance.choice(["x", sent[number]["content"].replace("secret", "public"), "y" * 5000])
            body = json.dumps({"username": "ann", "content": text})
            assert api.request("PATCH", f"/messages/{sent[number]['id']}", body).ok["edited_at"]
        wait_until(lambda: not found(stack, deleted + edited), PATIENCE_S, "deleted content is removed")
        assert sorted(found(stack, kept)) == sorted(kept)


def test_deleted_content_is_gone_while_others_send():
    """A log that grows all the time is truncated too, between two transactions."""
    with Stack() as stack, Client(stack) as api:
        group = api.group("ann", "bob")
        gone = []
        for number in range(600):
            sent = api.send(group, "ann", content(number, 3))
            if number % 3 == 0:
                api.request("DELETE", f"/messages/{sent['id']}?username=ann").ok
                gone.append(number)

        def all_gone():
            api.send(group, "bob", "and on it goes")
            return not found(stack, gone)

        wait_until(all_gone, PATIENCE_S, "deleted content is removed")


@pytest.mark.parametrize("how", ["clear", "delete"])
def test_removed_reactions_are_gone(how):
    """An emoji may be any short text. It must go when its message is deleted, and when it is cleared."""
    with Stack() as stack, Client(stack) as api:
        names = [f"user{number}" for number in range(20)]
        group = api.group(*names)
        sent = api.send(group, names[0])["id"]
        for number in range(10):
            for name in names:
                api.react(sent, name, marker(number)).ok
        kept = api.send(group, names[0])["id"]
        api.react(kept, names[0], marker(99)).ok
        assert found(stack, range(10)) == list(range(10))
        if how == "delete":
            api.erase(sent, names[0]).ok
        else:
            for number in range(10):
                api.react(sent, names[0], marker(number), "DELETE", all="true").ok
        wait_until(lambda: not found(stack, range(10)), PATIENCE_S, "the emoji is removed")
        assert found(stack, [99]) == [99]
