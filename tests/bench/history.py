"""Years of messages at once: bulk insert of the rows that imd would have written if each message had been posted."""
import random
import re
import sqlite3
from pathlib import Path

CONTENT = "A message as people send them."  # a page of 50 is 6 KB
EDITED = "A message as people edit them."
TICK_MS = 1000
EDIT_EVERY = 10
SOURCE = Path(__file__).resolve().parents[2] / "fcgi_app"


def defined(header, name):
    return int(re.search(rf"(?m)^#define {name}\s+(\d+)", (SOURCE / header).read_text())[1])


# membership.active_at may lag by this much; with more than this many members it never changes.
ACTIVE_LAG_MS = defined("store/memberships.h", "ACTIVE_LAG_MS")
MEMBERS_FEW = defined("model/model.h", "MEMBERS_FEW")


class Conversation:
    """The state of a row of the table conversation."""

    def __init__(self, number, last_seq, version, updated_at, listed_at, few, members):
        self.number, self.last_seq, self.version = number, last_seq, version
        self.updated_at, self.listed_at = updated_at, listed_at
        self.few, self.members = few, members
        self.sender, self.run = None, 0  # the sender of the last messages, and how many in a row
        self.came = 0  # members who joined since

    def send(self, sender):
        """Counts the next message, and returns its column `run`."""
        self.run = self.run + 1 if sender == self.sender else 1
        self.sender = sender
        self.last_seq += 1
        return self.run if self.run > 1 else None

    def bump(self, tick):
        self.version += 1
        self.updated_at = tick
        if self.few and tick - self.listed_at > ACTIVE_LAG_MS:
            self.listed_at = tick

    def row(self):
        return self.last_seq, self.version, self.updated_at, self.listed_at, self.came, self.number


class Join:
    """A user joins these conversations before the message number `before`, all at once."""

    def __init__(self, name, before, conversations):
        self.name, self.before, self.conversations = name, before, conversations

    def rows(self, state, tick):
        for number in self.conversations:
            conversation = state[number]
            conversation.bump(tick)
            conversation.came += 1
            yield number, self.name, self.name, conversation.version, conversation.last_seq, conversation.version, tick


def write(path, picks, join=None):
    """
    Writes one message in each of `picks`, which are conversations: one in each tick, up to now.

    A pick may also be a pair of a conversation and the sender; else the sender is any member. With every tenth message
    an earlier one of the same conversation is edited. Existing rows are dated back before the first message. No user
    may have left, and nothing may wait to be pushed.
    """
    db = sqlite3.connect(path, isolation_level=None)
    # If this is interrupted, it leaves a .partial that is written anew.
    db.execute("PRAGMA journal_mode = MEMORY")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -200000")
    db.execute("BEGIN")
    tick, first_id, last_change = db.execute("SELECT tick, last_message_id, last_change FROM instance").fetchone()
    duration = len(picks) * TICK_MS
    db.execute("UPDATE account SET created_at = created_at - ?", (duration,))
    db.execute("UPDATE conversation SET created_at = created_at - ?1, updated_at = updated_at - ?1,"
               " listed_at = listed_at - ?1", (duration,))
    db.execute("UPDATE membership SET since_at = since_at - ?", (duration,))
    state, edits, joins = conversations(db), [], []
    db.executemany("INSERT INTO message (place, id, sender, timestamp, created_version, content, run)"
                   " VALUES ((? << 32) | ?, ?, (SELECT id FROM account WHERE name = ?), ?, ?, ?, ?)",
                   messages(state, picks, first_id, tick - duration, edits, join, joins))
    db.executemany("INSERT INTO membership (conversation, account, username, joined_version, joined_seq, version,"
                   " since_at) VALUES (?, (SELECT id FROM account WHERE name = ?), ?, ?, ?, ?, ?)", joins)
    db.executemany("UPDATE message SET content = ?, edited_at = ?, changed_version = ? WHERE place = (? << 32) | ?",
                   edits)
    db.executemany("UPDATE conversation SET last_seq = ?, version = ?, updated_at = ?, listed_at = ?,"
                   " member_count = member_count + ? WHERE id = ?",
                   (conversation.row() for conversation in state.values()))
    # In larger groups it is the largest integer since they were created.
    db.execute("UPDATE membership SET active_at = (SELECT listed_at FROM conversation WHERE id = conversation)"
               " WHERE conversation IN (SELECT id FROM conversation WHERE member_count <= ?)", (MEMBERS_FEW,))
    db.execute("UPDATE instance SET tick = ?, last_message_id = ?, last_change = ?",
               (tick, first_id + len(picks), last_change + len(picks) + len(edits) + len(joins)))
    db.execute("DELETE FROM outbox")
    db.execute("COMMIT")
    check(db)
    db.execute("PRAGMA journal_mode = WAL")
    db.close()


def conversations(db):
    members = {}
    for conversation, name in db.execute("SELECT conversation, username FROM membership"):
        members.setdefault(conversation, []).append(name)
    return {row[0]: Conversation(*row, members[row[0]]) for row in db.execute(
        "SELECT id, last_seq, version, updated_at, listed_at, member_count <= ? FROM conversation", (MEMBERS_FEW,))}


def messages(state, picks, first_id, start, edits, join, joins):
    """Yields the rows to store. Advances `state`, and appends the edits and joins to be stored."""
    chance = random.Random(1)
    for number, pick in enumerate(picks, 1):
        tick = start + number * TICK_MS
        if join and number == join.before:
            joins += join.rows(state, tick - 1)
        pick, sender = pick if isinstance(pick, tuple) else (pick, None)
        conversation = state[pick]
        sender = sender or chance.choice(conversation.members)
        run = conversation.send(sender)
        conversation.bump(tick)
        yield (pick, conversation.last_seq, first_id + number, sender, tick, conversation.version, CONTENT, run)
        if number % EDIT_EVERY == 0:
            conversation.bump(tick)
            edits.append((EDITED, tick, conversation.version, pick, chance.randint(1, conversation.last_seq)))


def check(db):
    """Checks the invariants of schema/ and of the store that imd relies on."""
    wrong = """
        SELECT 'lists are ahead or lag' FROM membership m JOIN conversation c ON c.id = m.conversation
            WHERE c.member_count <= ?1 AND m.active_at NOT BETWEEN c.updated_at - ?2 AND c.updated_at
        UNION ALL SELECT 'a large group is not always listed' FROM membership m JOIN conversation c
            ON c.id = m.conversation WHERE c.member_count > ?1 AND m.active_at <> 9223372036854775807
        UNION ALL SELECT 'members miscounted' FROM conversation c WHERE c.member_count <>
            (SELECT count(*) FROM membership m WHERE m.conversation = c.id AND m.left_version IS NULL)
        UNION ALL SELECT 'a run is miscounted' FROM message m JOIN message b ON b.place = m.place - 1
            WHERE b.seq > 0 AND coalesce(m.run, 1) <>
            CASE WHEN b.sender = m.sender THEN coalesce(b.run, 1) + 1 ELSE 1 END
        UNION ALL SELECT 'a version beyond the last' FROM message m JOIN conversation c ON c.id = m.conversation
            WHERE max(m.created_version, coalesce(m.changed_version, 0)) > c.version OR m.seq > c.last_seq
        LIMIT 1"""
    assert (found := db.execute(wrong, (MEMBERS_FEW, ACTIVE_LAG_MS)).fetchone()) is None, found
    assert not db.execute("PRAGMA foreign_key_check").fetchall()
    assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
