"""
A client asks a user's list again and again for entries newer than the newest one seen, while others write. In the end
it holds the whole list. Each answer shows one moment.
"""
import random
import threading

import pytest

from api import Client, at_once, new_name

GROUPS, WRITERS, STEPS = 9, 4, 90


def write(stack, groups, writer, reader):
    """All kinds of changes, some by the reader on another device."""
    chance = random.Random(writer)
    with Client(stack) as own:
        mine = []
        for i in range(STEPS):
            group = chance.choice(groups)
            chance.choice([lambda: mine.append(own.send(group, writer, str(i))["id"]),
                           lambda: mine.append(own.send(group, writer, str(i))["id"]),
                           lambda: own.edit(chance.choice(mine), writer, f"edit {i}") if mine else None,
                           lambda: own.erase(mine.pop(), writer) if mine else None,
                           lambda: own.retitle(group, writer, f"title {i}"),
                           lambda: own.read(group, reader, i // 4),
                           lambda: own.submit(group, reader),
                           lambda: own.leave(group, reader), lambda: own.join(group, reader)])()


def resync(api, reader, held, newest, limit):
    """One round of the recipe. Returns the newest updated_at seen so far."""
    after, query = newest, {}
    while entries := api.list_page(reader, updated_after=after, limit=limit, **query)["conversations"]:
        newest = max(newest, entries[0]["updated_at"])
        query = {"updated_before": entries[-1]["updated_at"]}
        for entry in entries:
            if "left" in entry:
                held.pop(entry["id"], None)
            else:
                held[entry["id"]] = entry
    return newest


@pytest.mark.parametrize("limit", [2, 1000])
def test_a_reader_who_resyncs_misses_nothing(stack, api, limit):
    reader, writers = new_name(), [new_name() for _ in range(WRITERS)]
    groups = [api.group(reader, *writers) for _ in range(GROUPS)]
    quiet = threading.Event()

    def write_all():
        try:
            at_once([lambda name=name: write(stack, groups, name, reader) for name in writers])
        finally:
            quiet.set()

    def follow():
        held, newest = {}, 0
        with Client(stack) as own:
            while True:
                last_round = quiet.is_set()
                newest = resync(own, reader, held, newest, limit)
                if last_round:
                    return held

    _, held = at_once([write_all, follow])
    assert held == {entry["id"]: entry for entry in api.list_page(reader)["conversations"]}


def test_each_answer_shows_one_moment(stack, api):
    """While others only send, all members of an entry follow from one number."""
    reader, writers = new_name(), [new_name() for _ in range(WRITERS)]
    group = api.group(reader, *writers)
    quiet = threading.Event()

    def send_many(writer):
        with Client(stack) as own:
            for i in range(STEPS):
                own.send(group, writer, str(i))

    def send_all():
        try:
            at_once([lambda writer=writer: send_many(writer) for writer in writers])
        finally:
            quiet.set()

    def assert_one_moment(conversation, messages):
        count = conversation["last_seq"]
        assert conversation["version"] == count + 1
        if messages:
            assert [message["seq"] for message in messages] == list(range(count - len(messages) + 1, count + 1))
            assert conversation["updated_at"] == messages[-1]["timestamp"]

    def look():
        seen = set()
        with Client(stack) as own:
            while not quiet.is_set():
                (entry,) = own.list_page(reader)["conversations"]
                assert_one_moment(entry, [entry["last_message"]] if entry["last_message"] else [])
                assert entry["unread"] == entry["last_seq"]
                page = own.changes(group, limit=1000)
                assert_one_moment(page["conversation"], page["messages"])
                assert page["version"] == page["conversation"]["version"] == len(page["messages"]) + 1
                page = own.seq_page(group, before_seq=2**40, limit=5)
                first = page["messages"][0]["seq"] if page["messages"] else 1
                assert (page["has_prev"], page["has_next"]) == (first > 1, False)
                seen.add(entry["last_seq"])
        return seen

    _, *each = at_once([send_all, look, look])
    assert all(len(seen) > 5 for seen in each)
