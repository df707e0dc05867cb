"""Many conversations were last active in the same tick: a page holds all of a tick or nothing of it."""
import random
from collections import Counter

import pytest

from api import Client, at_once, new_name
from stack import wait_until

CREATORS = 10


@pytest.fixture(scope="module")
def listed(stack):
    """A user and their list. Several entries share a tick, because many users create conversations at once."""
    alice, others = new_name(), [new_name() for _ in range(CREATORS)]
    made = []

    def create_many(other):
        with Client(stack) as own:
            return [own.create("group_chat", alice, other) for _ in range(8)]

    def three_share_a_tick():
        for created in at_once([lambda other=other: create_many(other) for other in others]):
            made.extend(created)
        return sorted(Counter(conversation["updated_at"] for conversation in made).values())[-3:] >= [2, 2, 3]

    wait_until(three_share_a_tick, 20, "conversations that share a tick")
    assert len(made) < 1000
    return alice, sorted(made, key=lambda conversation: (conversation["updated_at"], conversation["id"]), reverse=True)


def model(made, limit, before=2**63, after=0):
    rest = [c["id"] for c in made if after < c["updated_at"] < before]
    ticks = {c["id"]: c["updated_at"] for c in made}
    page = rest[:limit]
    if len(rest) > limit and ticks[rest[limit]] == ticks[page[-1]]:
        cut = ticks[page[-1]]
        page = [key for key in page if ticks[key] > cut] or [key for key in rest if ticks[key] == cut]
    return page, len(page) < len(rest)


def ask(api, alice, **query):
    page = api.list_page(alice, **query)
    return [entry["id"] for entry in page["conversations"]], page["has_next"]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 20, 100])
def test_pages_from_any_time_cut_no_tick(api, listed, limit):
    alice, made = listed
    assert ask(api, alice, limit=limit) == model(made, limit)
    for tick in random.Random(limit).sample(sorted({c["updated_at"] for c in made}), 12):
        assert ask(api, alice, limit=limit, updated_before=tick) == model(made, limit, before=tick)
        assert ask(api, alice, limit=limit, updated_after=tick) == model(made, limit, after=tick)
        assert ask(api, alice, limit=limit, updated_before=tick + 1) == model(made, limit, before=tick + 1)


@pytest.mark.parametrize("query", [{}, {"updated_after": 0}], ids=str)
@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_consecutive_pages_hold_every_entry_once(api, listed, limit, query):
    alice, made = listed
    held, before = [], {}
    while page := api.list_page(alice, limit=limit, **before, **query)["conversations"]:
        held += page
        before = {"updated_before": held[-1]["updated_at"]}
    assert [entry["id"] for entry in held] == [conversation["id"] for conversation in made]


def test_the_default_limit_is_100(api, listed):
    alice, made = listed
    many = len(made) > 100
    page, more = ask(api, alice)
    assert (page, more) == model(made, 100) and more == many


def test_a_limit_above_1000_counts_as_1000(stack, api):
    alice = new_name()

    def create_many():
        with Client(stack) as own:
            return [own.write_unseen("POST", "/conversations", {"type": "group_chat", "members": [alice]})
                    for _ in range(255)]

    made = sorted((conversation for created in at_once([create_many] * 4) for conversation in created),
                  key=lambda conversation: (conversation["updated_at"], conversation["id"]), reverse=True)
    assert len(made) == 1020
    for limit in (1000, 1001, 10**30):
        assert ask(api, alice, limit=limit) == model(made, 1000)
