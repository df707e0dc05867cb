"""
Clearing an emoji, or deleting a message, updates one row however many users reacted. Housekeeping removes the rest
in batches, between which others write.
"""
import sqlite3
from contextlib import closing

import pytest

from api import Client
from stack import Stack, wait_until

COUNT = 30_000
PATIENCE_S = 30
# A sweep in one piece, under the lock, would let in one post at most.
POSTS_MEANWHILE = 5


def react(stack, group, count):
    """Adds reactions of many users, by writing into the database."""
    with closing(sqlite3.connect(stack.state / "imd.db", timeout=10)) as database, database:
        place = (group << 32) + 1
        database.execute("INSERT INTO reaction_set (id, place, emoji, count, named) VALUES (1, ?, 'a', ?, 1)", (place, count))
        names = [(f"crowd{number:05d}",) for number in range(count)]
        database.executemany("INSERT INTO account (name, created_at) VALUES (?, 1)", names)
        database.execute("INSERT INTO reaction SELECT 1, id, name FROM account WHERE name LIKE 'crowd%'")
        database.execute("UPDATE message SET emoji_count = 1, changed_version = 3 WHERE place = ?", (place,))
        database.execute("UPDATE conversation SET version = 3 WHERE id = ?", (group,))


def count(stack, table):
    with closing(sqlite3.connect(f"file:{stack.state / 'imd.db'}?mode=ro", uri=True)) as database:
        return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


@pytest.mark.parametrize("how", ["clear", "delete"])
def test_reactions_are_swept_and_posts_do_not_wait(how):
    with Stack() as stack, Client(stack) as api:
        group = api.group("ann", "bob")
        sent = api.send(group, "ann")["id"]
        react(stack, group, COUNT)
        shown = api.message(sent)["reactions"]["a"]
        assert shown["count"] == COUNT and len(shown["names"]) == 100

        answer = api.erase(sent, "ann").ok if how == "delete" else api.react(sent, "ann", "a", "DELETE", all="true").ok
        assert "reactions" not in answer
        left, posts = [], 0

        def swept():
            nonlocal posts
            api.send(group, "bob")
            left.append(count(stack, "reaction"))
            posts += 0 < left[-1] < COUNT
            return left[-1] == 0 and count(stack, "reaction_set") == 0

        wait_until(swept, PATIENCE_S, "cleared reactions are swept")
        assert posts >= POSTS_MEANWHILE, left
