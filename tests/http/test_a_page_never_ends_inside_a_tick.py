"""Compares pages by time with a model of them, over messages of which many share a tick."""
import random
from collections import Counter

import pytest

from api import Client, at_once, new_name
from stack import wait_until

SENDERS, EACH = 8, 130


@pytest.fixture(scope="module")
def history(stack):
    """
    More than a page of 1,000 messages in two conversations. Several users send at once, so some ticks hold several
    messages.
    """
    senders = [new_name() for _ in range(SENDERS)]
    with Client(stack) as api:
        groups = [api.group(*senders), api.group(*senders)]
    messages = []

    def send_many(sender, count):
        with Client(stack) as own:
            return [own.send(groups[i % 2], sender, f"{sender} {i}") for i in range(count)]

    def some_ticks_hold_three():
        count = 10 if messages else EACH
        for sent in at_once([lambda sender=sender: send_many(sender, count) for sender in senders]):
            messages.extend(sent)
        return max(Counter(message["timestamp"] for message in messages).values()) >= 3

    wait_until(some_ticks_hold_three, 20, "three messages that share a tick")
    messages.sort(key=lambda message: message["id"])
    return {"username": senders[0], "conversation_id": groups[0], "messages": messages}


@pytest.fixture(params=["username", "conversation_id"])
def selection(request, history):
    """Returns how to select the messages, and all that should be returned."""
    if request.param == "username":
        return {"username": history["username"]}, history["messages"]
    group = history["conversation_id"]
    return {"conversation_id": group}, [message for message in history["messages"] if message["conversation"] == group]


def model(messages, after, limit):
    rest = [message for message in messages if message["timestamp"] > after]
    page = rest[:limit]
    if len(rest) > limit and rest[limit]["timestamp"] == page[-1]["timestamp"]:
        tick = page[-1]["timestamp"]
        page = [m for m in page if m["timestamp"] < tick] or [m for m in rest if m["timestamp"] == tick]
    return {"messages": page, "has_next": len(page) < len(rest)}


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 7, 8, 9, 100])
def test_pages_from_any_time_match_the_model(api, selection, limit):
    query, messages = selection
    some = random.Random(limit).sample(messages, 20)
    for after in [0, *(message["timestamp"] - back for message in some for back in (0, 1))]:
        assert api.page(after=after, limit=limit, **query) == model(messages, after, limit)


def test_no_limit_cuts_a_tick(api, selection):
    """At each tick of several messages, with every limit that could cut it."""
    query, messages = selection
    sizes = Counter(message["timestamp"] for message in messages)
    ticks = sorted(sizes)
    several = [i for i, tick in enumerate(ticks) if sizes[tick] > 1 and i >= 2]
    assert several
    for i in several[:12]:
        after = ticks[i - 2]
        for limit in range(1, sizes[ticks[i - 1]] + sizes[ticks[i]] + 2):
            assert api.page(after=after, limit=limit, **query) == model(messages, after, limit)


def test_the_default_limit_is_100(api, selection):
    query, messages = selection
    assert api.page(**query) == model(messages, 0, 100)
    assert api.page(after=messages[150]["timestamp"], **query) == model(messages, messages[150]["timestamp"], 100)


def test_a_limit_above_1000_counts_as_1000(api, history):
    for limit in (1000, 1001, 5000, 2**63 - 1, 2**64, 10**30):
        assert api.page(username=history["username"], limit=limit) == model(history["messages"], 0, 1000)


def test_a_page_that_exactly_holds_the_rest_is_the_last(api, selection):
    query, messages = selection
    ticks = sorted({message["timestamp"] for message in messages})
    for after in ticks[-6:]:
        rest = [message for message in messages if message["timestamp"] > after]
        expected = {"messages": rest, "has_next": False}
        assert api.page(after=after, limit=len(rest) or 1, **query) == expected


def test_consecutive_pages_hold_every_message_once(api, selection):
    query, messages = selection
    for limit in (3, 7, 50):
        assert api.all_messages(limit=limit, **query) == messages
