"""The databases the bench runs on: users and conversations made over REST, the history by bulk insert.

u0 is a member of all 100 conversations of 10, u1 … u90 of ten each. Apart from them s0 … s999 sit in 100 groups of
10, whose members listen on sockets. One message a second, in a random conversation by a random member, up to now.
"""
import hashlib
import json
import random
import sqlite3
import urllib.request
from pathlib import Path

SCHEMA = Path(__file__).resolve().parents[2] / "schema"

CONVERSATIONS, MEMBERS = 100, 10
BUSY_USER = "u0"
OTHER_USERS = [f"u{n}" for n in range(1, 91)]
AUDIENCE = [[f"s{group * MEMBERS + n}" for n in range(MEMBERS)] for group in range(100)]
PAGE = 50
CONTENT = "A message as people send them."  # a page of 50 is 6 KB
TICK_MS = 1000


def conversations():
    """Each of the others takes every ninth seat, so each sits in ten conversations, never twice in one."""
    seats = [OTHER_USERS[n % len(OTHER_USERS)] for n in range(CONVERSATIONS * (MEMBERS - 1))]
    return [[BUSY_USER] + seats[n:n + MEMBERS - 1] for n in range(0, len(seats), MEMBERS - 1)]


def prepare(build, sizes, start_stack):
    """{size: path of a database with so many messages}, kept under `build` until the schema or this file changes.

    start_stack() is a context manager that yields a running, empty stack.
    """
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for script in sorted(SCHEMA.glob("*.sql")):
        digest.update(script.read_bytes())
    key = digest.hexdigest()[:16]
    paths = {size: build / f"{key}-{size}.db" for size in sizes}
    for old in build.glob("*.db"):
        if not old.name.startswith(key):
            old.unlink()
    missing = [size for size in sizes if not paths[size].exists()]
    if missing:
        with start_stack() as stack:
            people(stack.url)
            empty = stack.db
        for size in missing:
            partial = paths[size].with_suffix(".partial")
            partial.unlink(missing_ok=True)
            with sqlite3.connect(empty) as source, sqlite3.connect(partial) as copy:
                source.backup(copy)  # unlike a copy of the file, with what may still be in its log
            history(partial, size)
            partial.rename(paths[size])
    return paths


def people(url):
    for members in conversations() + AUDIENCE:
        body = json.dumps({"type": "group_chat", "members": members}).encode()
        request = urllib.request.Request(url + "/conversations/", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["members"], "a conversation without members"


def history(path, size):
    """Stores `size` messages as if they had been posted, one in each tick."""
    db = sqlite3.connect(path, isolation_level=None)
    # Whoever is interrupted here leaves a .partial that is written anew.
    db.execute("PRAGMA journal_mode = MEMORY")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("BEGIN")
    tick, first_id, last_change = db.execute("SELECT tick, last_message_id, last_change FROM instance").fetchone()
    # Whatever exists was made before the first message.
    db.execute("UPDATE account SET created_at = created_at - ?", (size * TICK_MS,))
    db.execute("UPDATE conversation SET created_at = created_at - ?1, updated_at = updated_at - ?1", (size * TICK_MS,))
    state = {row[0]: list(row) for row in db.execute(
        "SELECT c.id, c.last_seq, c.version, c.updated_at FROM conversation c"
        " JOIN membership m ON m.conversation = c.id WHERE m.username = ?", (BUSY_USER,))}
    db.executemany(
        "INSERT INTO message (place, id, sender, timestamp, content) VALUES ((? << 32) | ?, ?, ?, ?, ?)",
        messages(db, state, size, first_id, tick - size * TICK_MS))
    db.executemany("UPDATE conversation SET last_seq = ?2, version = ?3, updated_at = ?4 WHERE id = ?1", state.values())
    db.execute("UPDATE instance SET tick = ?, last_message_id = ?, last_change = ?",
               (tick, first_id + size, last_change + size))
    db.execute("DELETE FROM outbox")
    db.execute("COMMIT")
    assert not db.execute("PRAGMA foreign_key_check").fetchall()
    assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
    db.execute("PRAGMA journal_mode = WAL")
    db.close()


def messages(db, state, size, first_id, start):
    """The rows to store; counts on in state, which is {conversation: [id, last_seq, version, updated_at]}."""
    chance = random.Random(1)
    members = {}
    for conversation, name in db.execute("SELECT conversation, username FROM membership").fetchall():
        members.setdefault(conversation, []).append(name)
    ids = sorted(state)
    for n in range(1, size + 1):
        row = state[chance.choice(ids)]
        row[1] += 1
        row[2] += 1
        row[3] = start + n * TICK_MS
        yield row[0], row[1], first_id + n, chance.choice(members[row[0]]), row[3], CONTENT


# What is asked of such a database: lines for replay.lua.


def posts(path, count=2000):
    """Messages to random conversations, each by one of the members."""
    with sqlite3.connect(path) as db:
        seats = db.execute("SELECT conversation, username FROM membership WHERE conversation IN"
                           " (SELECT conversation FROM membership WHERE username = ?)", (BUSY_USER,)).fetchall()
    return ["POST /messages/ " + json.dumps({"conversation_id": conversation, "username": name, "content": CONTENT})
            for conversation, name in random.Random(2).choices(seats, k=count)]


def pages(path, count=200):
    """Whole pages from places all over the history."""
    chance = random.Random(3)
    lines = []
    with sqlite3.connect(path) as db:
        lengths = db.execute("SELECT c.id, c.last_seq FROM conversation c JOIN membership m ON m.conversation = c.id"
                             " WHERE m.username = ?", (BUSY_USER,)).fetchall()
        for conversation, last_seq in chance.choices(lengths, k=count):
            seq = chance.randint(1, last_seq - PAGE)
            after, = db.execute("SELECT timestamp FROM message WHERE conversation = ? AND seq = ?",
                                (conversation, seq)).fetchone()
            lines.append(f"GET /messages/?conversation_id={conversation}&after={after}&limit={PAGE}")
    return lines


def recent(path, users):
    """What each of the users received of late: four, five and six messages."""
    lines = []
    with sqlite3.connect(path) as db:
        for user in users:
            newest = db.execute(
                "SELECT timestamp FROM message WHERE id > (SELECT max(id) - 2000 FROM message)"
                " AND conversation IN (SELECT conversation FROM membership WHERE username = ?)"
                " ORDER BY id DESC LIMIT 7", (user,)).fetchall()
            lines += [f"GET /messages/?username={user}&after={newest[count][0]}" for count in (4, 5, 6)]
    return lines


def audience(path):
    """(conversation, a member) of each group in AUDIENCE."""
    with sqlite3.connect(path) as db:
        conversations = dict(db.execute("SELECT username, conversation FROM membership"))
    return [(conversations[group[0]], group[0]) for group in AUDIENCE]
