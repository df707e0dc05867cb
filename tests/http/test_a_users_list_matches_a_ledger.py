"""
Compares a user's list (whole, in pages, and since any moment) with a ledger of a random history. The history has
several users in groups, in private chats, and in a group whose size crosses a hundred again and again. It runs once
within a second, and once over half an hour: the test moves past events back in time.
"""
import random
import time

import pytest

from api import Client, new_name
from stack import Stack

STEPS = 260
LARGE = 100
TIMES = {"created_at", "updated_at", "timestamp", "edited_at", "deleted_at"}
DAY_MS = 86_400_000


def put_back(stack, by_ms):
    """Moves all past events back in time. `instance` keeps counting, so no tick goes back."""
    now_ms = time.time() * 1000
    with stack.database.writing() as ask:
        for table in stack.database.tables(ask) - {"instance", "outbox"}:
            for name in stack.database.integer_columns(ask, table):
                ask(f"UPDATE {table} SET {name} = {name} - ? WHERE {name} BETWEEN ? AND ?",
                    by_ms, int(now_ms - DAY_MS), int(now_ms + DAY_MS))


def earlier(value, by_ms):
    """The same for answers."""
    if isinstance(value, list):
        return [earlier(entry, by_ms) for entry in value]
    if isinstance(value, dict):
        return {key: member - by_ms if key in TIMES else earlier(member, by_ms) for key, member in value.items()}
    return value


def newest_first(entries):
    return sorted(entries, key=lambda entry: entry["updated_at"], reverse=True)


class Stay:
    """One stay: messages after `after`, up to and including `until` (None: still a member), are received."""

    def __init__(self, after):
        self.after, self.until = after, None


class Chat:
    def __init__(self, conversation, users):
        self.id, self.type = conversation["id"], conversation["type"]
        self.object = conversation
        self.messages = []
        self.stays = {user: [Stay(0)] if user in conversation["members"] else [] for user in users}
        self.read = dict.fromkeys(users, 0)
        # The last steps at which the user moved their marker and left, and the tick of the leave.
        self.read_step = dict.fromkeys(users, -1)
        self.left = {}

    def is_there(self, user):
        return bool(self.stays[user]) and self.stays[user][-1].until is None

    def received(self, user):
        return [self.as_seen(message, user) for message in self.messages
                if any(stay.after < message["seq"] and (stay.until is None or message["seq"] <= stay.until)
                       for stay in self.stays[user])]

    def as_seen(self, message, user):
        """Returns the message as a former member sees it, without edits after they left."""
        if self.is_there(user) or message.get("edited_at", -1) < self.left[user]["updated_at"]:
            return message
        shown = {**message, "content": "", "withheld": True}
        del shown["edited_at"]
        return shown

    def unread(self, user):
        return sum(message["seq"] > self.read[user] and message["sender"] != user and "deleted_at" not in message
                   for message in self.received(user))


class Ledger:
    def __init__(self, api, seed):
        self.api, self.chance = api, random.Random(seed)
        self.users = [new_name() for _ in range(4)]
        one, two, three, four = self.users
        crowd = [new_name() for _ in range(LARGE - 2)]
        made = [api.create("group_chat", *self.users), api.create("group_chat", one, two),
                api.create("private_chat", one, two), api.create("group_chat", three),
                api.create("private_chat", three, one), api.create("group_chat"),
                api.create("group_chat", one, two, *crowd), api.create("group_chat", *self.users),
                api.create("group_chat", one, four, *crowd[:50])]
        self.chats = [Chat(conversation, self.users) for conversation in made]
        self.crowded = self.chats[6]
        self.sizes = set()  # of the message at that step
        self.ticks = []  # of each step; a step without one has the tick of the step before

    def step(self):
        chat = self.chance.choice([*self.chats, self.crowded])
        present = [user for user in self.users if chat.is_there(user)]
        action = self.chance.choice([self.send, self.send, self.send, self.erase, self.edit, self.read, self.read,
                                     self.come_or_go, self.retitle])
        action(chat, self.chance.choice(present) if present else None)
        self.sizes.add(self.crowded.object["member_count"])
        before, chat.object = chat.object, self.api.conversation(chat.id)
        self.ticks.append(chat.object["updated_at"] if before != chat.object else (self.ticks or [0])[-1])

    def put_back(self, stack, by_ms):
        put_back(stack, by_ms)
        self.ticks = [tick and tick - by_ms for tick in self.ticks]
        for chat in self.chats:
            chat.object, chat.messages, chat.left = (earlier(held, by_ms)
                                                     for held in (chat.object, chat.messages, chat.left))

    def send(self, chat, user):
        if user:
            chat.messages.append(self.api.send(chat.id, user, str(len(chat.messages))))

    def own(self, chat, user):
        return [i for i, message in enumerate(chat.messages)
                if message["sender"] == user and "deleted_at" not in message]

    def erase(self, chat, user):
        if own := self.own(chat, user):
            i = self.chance.choice(own[-3:])
            chat.messages[i] = self.api.erase(chat.messages[i]["id"], user).ok

    def edit(self, chat, user):
        if own := self.own(chat, user):
            i = self.chance.choice(own)
            chat.messages[i] = self.api.edit(chat.messages[i]["id"], user, f"edit {len(self.ticks)}").ok

    def read(self, chat, user):
        if user:
            seq = self.chance.randrange(len(chat.messages) + 3)
            answer = self.api.read(chat.id, user, seq).ok
            moved = max(chat.read[user], min(seq, len(chat.messages)))
            if moved > chat.read[user]:
                chat.read[user], chat.read_step[user] = moved, len(self.ticks)
            assert answer == {"read_seq": moved, "unread": chat.unread(user)}

    def come_or_go(self, chat, _):
        if chat.type == "private_chat":
            return
        user = self.chance.choice(self.users)
        if chat.is_there(user):
            self.api.leave(chat.id, user)
            chat.stays[user][-1].until = len(chat.messages)
            found = self.api.conversation(chat.id)
            chat.left[user] = {"id": chat.id, "type": chat.type, "left": True, "updated_at": found["updated_at"],
                               "version": found["version"], "last_seq": found["last_seq"]}
        else:
            self.api.join(chat.id, user)
            chat.stays[user].append(Stay(len(chat.messages)))

    def retitle(self, chat, user):
        if user:
            self.api.retitle(chat.id, user, f"title {len(self.ticks)}").ok

    # -- what the server should say

    def entry(self, chat, user):
        """The entry of a conversation that the user is a member of."""
        found = dict(chat.object)
        received = chat.received(user)
        return {**found, "role": "member", "read_seq": chat.read[user], "unread": chat.unread(user),
                "last_message": received[-1] if received else None}

    def left_by(self, user):
        return [chat.left[user] for chat in self.chats if user in chat.left and not chat.is_there(user)]

    def entries(self, user, after_step=None):
        """Returns the user's list, or its entries that changed after the step."""
        found = [self.entry(chat, user) for chat in self.chats if chat.is_there(user)]
        if after_step is not None:
            tick = self.ticks[after_step]
            # The steps since the one of this tick only moved markers, or changed nothing.
            moved = {chat.id for chat in self.chats if chat.read_step[user] > self.ticks.index(tick)}
            found = [entry for entry in found if entry["updated_at"] > tick or entry["id"] in moved]
            found += [entry for entry in self.left_by(user) if entry["updated_at"] > tick]
        return newest_first(found)


@pytest.fixture(scope="module")
def within_a_second(stack):
    with Client(stack) as api:
        ledger = Ledger(api, 1)
        for _ in range(STEPS):
            ledger.step()
        yield ledger


@pytest.fixture(scope="module")
def over_half_an_hour():
    with Stack() as own, Client(own) as api:
        ledger = Ledger(api, 2)
        for step in range(STEPS):
            ledger.step()
            if step % 10 == 0:
                ledger.put_back(own, ledger.chance.choice([1_000, 20_000, 58_000, 61_000, 300_000]))
        yield ledger


@pytest.fixture(params=["within_a_second", "over_half_an_hour"])
def ledger(request):
    found = request.getfixturevalue(request.param)
    assert found.sizes >= {LARGE, LARGE + 1}
    return found


def all_pages(ledger, user, limit, **query):
    """Follows the contract: asks again with the last entry's updated_at until a page is empty."""
    held, before = [], {}
    while True:
        page = ledger.api.list_page(user, limit=limit, **query, **before)
        if not page["conversations"]:
            assert not page["has_next"]
            return held
        assert len(page["conversations"]) <= limit
        held += page["conversations"]
        before = {"updated_before": held[-1]["updated_at"]}


def test_the_whole_list_matches_the_ledger(ledger):
    for user in ledger.users:
        expected = ledger.entries(user)
        assert expected
        page = ledger.api.list_page(user)
        assert (page["conversations"], page["has_next"]) == (expected, False)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
def test_the_list_in_pages_matches_the_ledger(ledger, limit):
    for user in ledger.users:
        expected = ledger.entries(user)
        assert all_pages(ledger, user, limit) == expected
        page = ledger.api.list_page(user, limit=limit)
        assert (page["conversations"], page["has_next"]) == (expected[:limit], len(expected) > limit)


def test_the_list_before_any_moment_matches_the_ledger(ledger):
    for user in ledger.users:
        expected = ledger.entries(user)
        for tick in {entry["updated_at"] + more for entry in expected for more in (0, 1)}:
            page = ledger.api.list_page(user, updated_before=tick, limit=2)
            older = [entry for entry in expected if entry["updated_at"] < tick]
            assert (page["conversations"], page["has_next"]) == (older[:2], len(older) > 2)


def test_the_list_since_any_step_matches_the_ledger(ledger):
    seen = set()
    for user in ledger.users:
        for step in range(0, STEPS, 2):
            expected = ledger.entries(user, step)
            page = ledger.api.list_page(user, updated_after=ledger.ticks[step])
            assert (page["conversations"], page["has_next"]) == (expected, False)
            seen |= {"left" in entry or entry["updated_at"] <= ledger.ticks[step] for entry in expected}
    assert seen == {True, False}


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_the_list_since_any_step_in_pages_matches_the_ledger(ledger, limit):
    for user in ledger.users:
        for step in random.Random(limit).sample(range(STEPS), 12):
            assert all_pages(ledger, user, limit, updated_after=ledger.ticks[step]) == ledger.entries(user, step)


def test_the_list_since_the_beginning_is_whole_and_since_the_end_empty(ledger):
    for user in ledger.users:
        expected = newest_first(ledger.entries(user) + ledger.left_by(user))
        assert ledger.api.list_page(user, updated_after=0)["conversations"] == expected
        assert ledger.api.list_page(user, updated_after=2**62)["conversations"] == []
        assert ledger.api.list_page(user, updated_before=0)["conversations"] == []
        assert ledger.api.list_page(user, updated_before=2**63 - 1)["conversations"] == ledger.entries(user)


def test_messages_received_since_any_step_match_the_ledger(ledger):
    """A user's messages are found by the same index as their list."""
    for user in ledger.users:
        messages = sorted((message for chat in ledger.chats for message in chat.received(user)),
                          key=lambda message: message["id"])
        for step in range(0, STEPS, 7):
            since = [message for message in messages if message["timestamp"] > ledger.ticks[step]]
            for limit in (3, 1000):
                page = ledger.api.page(username=user, after=ledger.ticks[step], limit=limit)
                assert page == {"messages": since[:limit], "has_next": len(since) > limit}
