"""
Clearing an emoji, or deleting a message, updates one row however many users reacted. Housekeeping removes the rest
in batches, between which others write.
"""
import pytest

from api import Client
from stack import Stack, wait_until

COUNT = 30_000
PATIENCE_S = 30
# A sweep in one piece, under the lock, would let in one post at most.
POSTS_MEANWHILE = 5


def react(stack, group, count):
    """Adds reactions of many users, by writing into the database."""
    database, place = stack.database, (group << 32) + 1
    with database.writing() as ask:
        first, row = database.reserve(ask, "account", count), database.reserve(ask, "reaction_set", 1)
        ask("WITH RECURSIVE crowd (id) AS (SELECT CAST(? AS bigint) UNION ALL SELECT id + 1 FROM crowd WHERE id < ?)"
            " INSERT INTO account (id, name, created_at) SELECT id, 'crowd' || (100000 + id), 1 FROM crowd",
            first, first + count - 1)
        ask("INSERT INTO reaction_set (id, place, emoji, count, named) VALUES (?, ?, 'a', ?, true)", row, place, count)
        ask("INSERT INTO reaction SELECT CAST(? AS bigint), id, name FROM account WHERE name > 'crowd' AND name < 'crowe'", row)
        ask("UPDATE message SET emoji_count = 1, changed_version = 3 WHERE place = ?", place)
        ask("UPDATE conversation SET version = 3 WHERE id = ?", group)


def count(stack, table):
    return stack.database.rows(f"SELECT count(*) AS count FROM {table}")[0]["count"]


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
