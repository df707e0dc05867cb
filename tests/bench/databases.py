"""
The databases of the bench. Users and conversations are made over REST, the history by bulk insert (history.py).

small and large have 10,000 and 1,000,000 messages, in random order. u0 is a member of all 100 conversations of 10, each
of u1 … u90 of ten. Besides, s0 … s999 are in 100 groups of 10, whose members listen on sockets.

wide: few is a member of 50 conversations of 2 to 10, many of 5,000 others. They are made in random order, and each
holds 20 messages, also in random order. The last 500 messages are news: two in each of three conversations of few, two
in each of three of many, the others elsewhere. Besides, there is a group of 10,000 and one of 10. late joins the
conversations of many before the last 2,000 messages that are not news.

own: quiet is a member of 50 conversations with 20 messages each. talker is a member of 50 with 10,000 messages each,
all but the first two of them sent by talker, who has read none.
"""
import contextlib
import hashlib
import http.client
import json
import random
import re
import sqlite3
from pathlib import Path

import history

SCHEMA = Path(__file__).resolve().parents[2] / "schema/sqlite"
SMALL, LARGE = 10_000, 1_000_000
PAGE = 50

CONVERSATIONS, MEMBERS = 100, 10
BUSY_USER = "u0"
OTHER_USERS = [f"u{n}" for n in range(1, 91)]
AUDIENCE = [[f"s{group * MEMBERS + n}" for n in range(MEMBERS)] for group in range(100)]

FEW, MANY = 50, 5_000
FILLERS = [f"f{n}" for n in range(1000)]  # the other members of the conversations of few and many
MESSAGES_EACH = 20
CHANGED, NEW_EACH = 3, 2  # conversations with news, messages in each
NEWS = 500
LATE_MESSAGES = 2_000
TALKS, OWN_EACH = 50, 10_000
ELSEWHERE = [f"e{n}" for n in range(10)]
TENSOME = [f"t{n}" for n in range(10)]
SILENT = 1_000
CROWD = [f"c{n:04}" for n in range(10_000)]  # in channel order


def prepare(build, start_stack):
    """
    Returns {name: path of the database}. They are kept under `build` until the schema or their recipe changes.

    start_stack(name) is a context manager that yields a running, empty stack.
    """
    recipes = {"small": (core_people, lambda path: core_history(path, SMALL)),
               "large": (core_people, lambda path: core_history(path, LARGE)),
               "wide": (wide_people, wide_history), "own": (own_people, own_history)}
    digest = hashlib.sha256(repr((history.ACTIVE_LAG_MS, history.MEMBERS_FEW)).encode())
    for source in [Path(__file__), Path(history.__file__), *sorted(SCHEMA.glob("*.sql"))]:
        digest.update(source.read_bytes())
    key = digest.hexdigest()[:16]
    paths = {name: build / f"{key}-{name}.db" for name in recipes}
    for old in [*build.glob("*.db"), *build.glob("*.partial")]:
        if not old.name.startswith(key):
            old.unlink()
    for name, (people, fill) in recipes.items():
        if not paths[name].exists():
            partial = paths[name].with_suffix(".partial")
            partial.unlink(missing_ok=True)
            with start_stack(name) as stack:
                converse(stack.port, people())
                with opened(stack.db) as source, opened(partial) as copy:
                    source.backup(copy)  # a copy of the file would lack the pages in its log
            fill(partial)
            partial.rename(paths[name])
    return paths


@contextlib.contextmanager
def opened(path):
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        yield db


def converse(port, groups):
    """Makes the conversations, and returns their ids."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    ids = []
    for members in groups:
        connection.request("POST", "/conversations/", json.dumps({"type": "group_chat", "members": members}),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        made = json.load(answer)
        assert made["member_count"] == len(members), f"{answer.status} for {members}"
        ids.append(made["id"])
    connection.close()
    return ids


def conversations_of(path, user):
    with opened(path) as db:
        rows = db.execute("SELECT conversation FROM membership WHERE username = ? ORDER BY conversation", (user,))
        return [conversation for conversation, in rows]


def core_people():
    """Each of the other users takes every 90th seat, so each is in ten conversations, never twice in one."""
    seats = [OTHER_USERS[n % len(OTHER_USERS)] for n in range(CONVERSATIONS * (MEMBERS - 1))]
    return [[BUSY_USER] + seats[n:n + MEMBERS - 1] for n in range(0, len(seats), MEMBERS - 1)] + AUDIENCE


def core_history(path, size):
    history.write(path, random.Random(4).choices(conversations_of(path, BUSY_USER), k=size))


def wide_people():
    chance = random.Random(5)
    owners = ["few"] * FEW + ["many"] * MANY
    chance.shuffle(owners)
    return [[owner] + chance.sample(FILLERS, chance.randint(1, 9)) for owner in owners] + [ELSEWHERE, TENSOME, CROWD]


def wide_history(path):
    """Both users have read their conversations, except for up to three messages at the end of each."""
    chance = random.Random(6)
    ids = {user: conversations_of(path, user) for user in ("few", "many")}
    picks = MESSAGES_EACH * (ids["few"] + ids["many"])
    chance.shuffle(picks)
    news = NEW_EACH * (chance.sample(ids["few"], CHANGED) + chance.sample(ids["many"], CHANGED))
    news += conversations_of(path, ELSEWHERE[0]) * (NEWS - len(news))
    chance.shuffle(news)
    with opened(path) as db:
        db.execute("INSERT INTO account (name, created_at) VALUES ('late', (SELECT max(created_at) FROM account))")
    history.write(path, picks + news, history.Join("late", len(picks) - LATE_MESSAGES + 1, ids["many"]))
    with opened(path) as db:
        db.execute("INSERT INTO read_marker (conversation, account, seq, moved_at)"
                   " SELECT m.conversation, s.account, m.seq, m.timestamp FROM membership s"
                   " JOIN conversation c ON c.id = s.conversation"
                   " JOIN message m ON m.place = (c.id << 32) + c.last_seq - c.id % 4"
                   " WHERE s.username IN ('few', 'many')")


def own_people():
    return [[owner, f"o{n}"] for owner in ("quiet", "talker") for n in range(TALKS)]


def own_history(path):
    quiet, talker = (conversations_of(path, name) for name in ("quiet", "talker"))
    picks = MESSAGES_EACH * quiet
    for conversation, other in zip(talker, (f"o{n}" for n in range(TALKS))):
        picks += 2 * [(conversation, other)] + (OWN_EACH - 2) * [(conversation, "talker")]
    history.write(path, picks)


# The requests for such a database, as lines for replay.lua.


def posts(path, count=2000):
    """Messages to random conversations, each by one of its members."""
    with opened(path) as db:
        seats = db.execute("SELECT conversation, username FROM membership WHERE conversation IN"
                           " (SELECT conversation FROM membership WHERE username = ?)", (BUSY_USER,)).fetchall()
    return ["POST /messages/ " + json.dumps({"conversation_id": conversation, "username": name,
                                             "content": history.CONTENT})
            for conversation, name in random.Random(2).choices(seats, k=count)]


def silent_people():
    """The members of the conversations without listeners."""
    return [[f"silent{conversation}_{member}" for member in range(MEMBERS)] for conversation in range(SILENT)]


def silent_posts(conversations):
    """One message by each of the members."""
    lines = ["POST /messages/ " + json.dumps({"conversation_id": conversation, "username": name,
                                              "content": history.CONTENT})
             for conversation, members in zip(conversations, silent_people(), strict=True) for name in members]
    random.Random(4).shuffle(lines)
    return lines


def places(path, count=200):
    """
    Yields (conversation, timestamp, created_version) of messages all over the history, each more than a page before its
    end.
    """
    chance = random.Random(3)
    with opened(path) as db:
        lengths = db.execute("SELECT c.id, c.last_seq FROM conversation c JOIN membership m ON m.conversation = c.id"
                             " WHERE m.username = ?", (BUSY_USER,)).fetchall()
        for conversation, last_seq in chance.choices(lengths, k=count):
            yield db.execute(
                "SELECT conversation, timestamp, created_version FROM message WHERE place = (? << 32) | ?",
                (conversation, chance.randint(1, last_seq - PAGE))).fetchone()


def pages(path):
    return [f"GET /messages/?conversation_id={conversation}&after={timestamp}&limit={PAGE}"
            for conversation, timestamp, _ in places(path)]


def changes(path):
    """About one in ten of the objects is an earlier message that was edited since."""
    return [f"GET /conversations/{conversation}/changes?after={version}&limit={PAGE}"
            for conversation, _, version in places(path)]


def recent(path, users):
    """The last four, five and six messages that each of the users received."""
    lines = []
    with opened(path) as db:
        for user in users:
            newest = db.execute(
                "SELECT timestamp FROM message WHERE id > (SELECT max(id) - 2000 FROM message)"
                " AND conversation IN (SELECT conversation FROM membership WHERE username = ?)"
                " ORDER BY id DESC LIMIT 7", (user,)).fetchall()
            lines += [f"GET /messages/?username={user}&after={newest[count][0]}" for count in (4, 5, 6)]
    return lines


def with_tokens(lines, key):
    """Returns the same requests with tokens: each line with a token of the user whom it names."""
    tokens = {}

    def token_of(line):
        named = re.search(r'(?:username=|"username": ")(\w+)', line)
        name = named[1] if named else BUSY_USER
        return tokens.setdefault(name, key.token(name, lives_s=86400))

    return [f"{token_of(line)} {line}" for line in lines]


def audience(path):
    """Returns (conversation, a member) of each group in AUDIENCE."""
    with opened(path) as db:
        conversations = dict(db.execute("SELECT username, conversation FROM membership"))
    return [(conversations[group[0]], group[0]) for group in AUDIENCE]


# Requests for the wide database, by the user `few` or `many`.


def moment(path, share):
    """Returns the tick when that share of the messages before the news had been written."""
    with opened(path) as db:
        return db.execute("SELECT timestamp FROM message ORDER BY id LIMIT 1 OFFSET"
                          " (SELECT cast((count(*) - ?) * ? AS integer) - 1 FROM message)", (NEWS, share)).fetchone()[0]


def list_page(_, user):
    return [f"GET /conversations?username={user}&limit={PAGE}"]


def resync(path, user):
    return [f"GET /conversations?username={user}&updated_after={moment(path, 1)}"]


def since(path, user):
    return [f"GET /messages/?username={user}&after={moment(path, 1)}"]


def middle(path, user):
    return [f"GET /messages/?username={user}&after={moment(path, 0.5)}"]


def oldest(_, user):
    return [f"GET /messages/?username={user}&after=0"]


def crowds(path):
    """Returns {name: (conversation, a member)} of the two groups."""
    return {name: (conversations_of(path, members[0])[0], members[0])
            for name, members in (("ten", TENSOME), ("crowd", CROWD))}
