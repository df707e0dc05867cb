"""Compares pages by seq with a model of them. Every page is oldest first."""
import random

import pytest

from api import Client, at_once, new_name

COUNT = 61
SIDES = ["after_seq", "before_seq", "around_seq"]


@pytest.fixture(scope="module")
def chat(stack):
    """A conversation's id and all its messages. Others send meanwhile, so ids have gaps but seqs do not."""
    with Client(stack) as api:
        alice, bob = new_name(), new_name()
        group, other = api.group(alice, bob), api.group(alice)
        api.group(alice)
        messages = []
        for i in range(COUNT):
            messages.append(api.send(group, (alice, bob)[i % 2], str(i)))
            api.send(other, alice)
        messages[7] = api.erase(messages[7]["id"], bob).ok
        messages[8] = api.edit(messages[8]["id"], alice, "edited").ok
        messages[9] = api.react(messages[9]["id"], alice, "👍").ok
        return group, messages


def model(messages, side, seq, limit):
    """This many messages before the seq, and this many from it on."""
    limit = min(limit, 1000)
    back, on = {"after_seq": (0, limit), "before_seq": (limit, 0),
                "around_seq": ((limit - 1) // 2, limit - (limit - 1) // 2)}[side]
    if side == "after_seq":
        seq += 1
    before = [message for message in messages if message["seq"] < seq]
    behind = [message for message in messages if message["seq"] >= seq]
    return {"messages": before[len(before) - min(back, len(before)):] + behind[:on], "has_prev": len(before) > back,
            "has_next": len(behind) > on}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 8, COUNT - 1, COUNT, COUNT + 1, 1000])
def test_pages_from_any_seq_match_the_model(api, chat, side, limit):
    group, messages = chat
    chance = random.Random(limit)
    ends = [1, 2, 3, COUNT - 2, COUNT - 1, COUNT, COUNT + 1, COUNT + 2, COUNT + 10, 2**31, 2**32 + 1, 2**62, 2**63 - 1]
    for seq in ends + chance.sample(range(4, COUNT - 2), 8):
        assert api.seq_page(group, limit=limit, **{side: seq}) == model(messages, side, seq, limit), seq


@pytest.mark.parametrize("side", ["after_seq", "before_seq"])
def test_pages_from_zero_match_the_model(api, chat, side):
    group, messages = chat
    assert api.seq_page(group, **{side: 0}) == model(messages, side, 0, 100)


@pytest.fixture(scope="module")
def long_chat(stack):
    """A conversation with more messages than fit on a page."""
    senders = [new_name() for _ in range(4)]

    def send_many(sender):
        with Client(stack) as own:
            return [own.write_unseen("POST", "/messages", {"conversation_id": group, "username": sender})
                    for _ in range(270)]

    with Client(stack) as api:
        group = api.group(*senders)
        each = at_once([lambda sender=sender: send_many(sender) for sender in senders])
    return group, sorted((message for sent in each for message in sent), key=lambda message: message["seq"])


@pytest.mark.parametrize("side, seq", [("after_seq", 0), ("after_seq", 79), ("after_seq", 80), ("before_seq", 1001),
                                       ("before_seq", 1002), ("before_seq", 1081), ("around_seq", 501),
                                       ("around_seq", 500), ("around_seq", 580)])
def test_a_limit_above_1000_counts_as_1000(api, long_chat, side, seq):
    group, messages = long_chat
    assert len(messages) == 1080
    for limit in (1000, 1001, 10**30):
        assert api.seq_page(group, limit=limit, **{side: seq}) == model(messages, side, seq, limit)


@pytest.mark.parametrize("side, seq", [("after_seq", 0), ("after_seq", 979), ("after_seq", 980), ("before_seq", 101),
                                       ("before_seq", 102), ("before_seq", 2**40), ("around_seq", 130),
                                       ("around_seq", 50), ("around_seq", 49)])
def test_the_default_limit_is_100(api, long_chat, side, seq):
    group, messages = long_chat
    assert api.seq_page(group, **{side: seq}) == model(messages, side, seq, 100)


@pytest.mark.parametrize("chance", map(random.Random, range(6)), ids=range(6))
def test_consecutive_pages_hold_every_message_once(api, chat, chance):
    group, messages = chat
    held, page = [], None
    while page is None or page["has_next"]:
        page = api.seq_page(group, after_seq=held[-1]["seq"] if held else 0, limit=chance.randrange(1, 20))
        assert page["has_prev"] == bool(held)
        held += page["messages"]
    assert held == messages
    held, page = [], None
    while page is None or page["has_prev"]:
        page = api.seq_page(group, before_seq=held[0]["seq"] if held else 2**40, limit=chance.randrange(1, 20))
        assert page["has_next"] == bool(held)
        held = page["messages"] + held
    assert held == messages


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
def test_pages_in_both_directions_from_the_middle_hold_every_message_once(api, chat, limit):
    group, messages = chat
    for seq in (1, 2, COUNT // 2, COUNT):
        middle = page = api.seq_page(group, around_seq=seq, limit=limit)
        held = middle["messages"]
        assert messages[seq - 1] in held
        while page["has_next"]:
            page = api.seq_page(group, after_seq=held[-1]["seq"], limit=limit)
            held += page["messages"]
        page = middle
        while page["has_prev"]:
            page = api.seq_page(group, before_seq=held[0]["seq"], limit=limit)
            held = page["messages"] + held
        assert held == messages


@pytest.mark.parametrize("side", SIDES)
def test_pages_of_an_empty_or_unknown_conversation_are_empty(api, side):
    empty = {"messages": [], "has_prev": False, "has_next": False}
    for seq in (1, 2, 2**62):
        assert api.seq_page(api.group(new_name()), **{side: seq}) == empty
        assert api.seq_page(2**62, **{side: seq}) == empty
        assert api.seq_page(2**63 - 1, **{side: seq}) == empty


@pytest.mark.parametrize("side", SIDES)
def test_an_empty_seq_counts_as_absent(api, chat, side):
    group, messages = chat
    assert api.page(conversation_id=group, **{side: ""}) == {"messages": messages, "has_next": False}
    assert api.page(conversation_id=group, after=messages[-2]["timestamp"], **{side: ""})["messages"] == messages[-1:]
    query = {"after_seq": "", "before_seq": "", "around_seq": "", side: 9, "limit": 5}
    assert api.seq_page(group, **query) == model(messages, side, 9, 5)


@pytest.mark.parametrize("side", SIDES)
def test_pages_do_not_mix_conversations(api, side):
    alice = new_name()
    groups = [api.group(alice) for _ in range(3)]
    sent = {group: [api.send(group, alice, f"{group} {i}") for i in range(5)] for group in groups}
    for group in groups:
        for seq in range(1, 8):
            assert api.seq_page(group, limit=4, **{side: seq}) == model(sent[group], side, seq, 4)
