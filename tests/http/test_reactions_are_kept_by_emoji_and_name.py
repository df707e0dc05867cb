import threading

import pytest

from api import Client, at_once, new_name


@pytest.fixture
def sent(api, group, alice):
    return api.send(group, alice)


def test_they_come_with_the_message(api, group, sent, alice, bob):
    before = api.conversation(group)
    liked = api.react(sent["id"], bob, "👍").ok
    assert liked == {**sent, "reactions": {"👍": [bob]}}
    after = api.conversation(group)
    assert after == {**before, "version": before["version"] + 1, "updated_at": after["updated_at"]}
    assert after["updated_at"] > sent["timestamp"]
    assert api.message(sent["id"]) == liked
    assert api.page(conversation_id=group)["messages"] == [liked]
    assert api.page(username=alice)["messages"] == [liked]
    assert api.seq_page(group, around_seq=1)["messages"] == [liked]
    assert api.changes(group)["messages"] == [liked]
    assert api.listed(bob, group)["last_message"] == liked


def test_emojis_and_names_are_in_byte_order(api):
    n = new_name("")
    names = [f"b{n}", f"_{n}", f"B{n}", f"1{n}", f"a{n}", f"A{n}"]
    emojis = ["👍", "+1", "❤️", "é", "~", "a", "👍🏽", "Z"]
    sent = api.send(api.group(*names), names[0])
    for name in names:
        for emoji in emojis if name == names[0] else emojis[:3]:
            message = api.react(sent["id"], name, emoji).ok
    ordered = sorted(names, key=str.encode)
    assert list(message["reactions"]) == sorted(emojis, key=str.encode)
    assert {emoji: who for emoji, who in message["reactions"].items() if len(who) > 1} == \
        {emoji: ordered for emoji in emojis[:3]}
    assert api.message(sent["id"]) == message
    assert list(api.message(sent["id"])["reactions"]) == list(message["reactions"])


def test_they_are_taken_back(api, group, sent, alice, bob):
    for name in (alice, bob):
        api.react(sent["id"], name, "👍").ok
    before = api.conversation(group)
    assert api.unreact(sent["id"], alice, "👍").ok == {**sent, "reactions": {"👍": [bob]}}
    assert api.unreact(sent["id"], bob, "👍").ok == sent
    after = api.conversation(group)
    assert after == {**before, "version": before["version"] + 2, "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]


def test_an_edit_keeps_them(api, sent, alice, bob):
    api.react(sent["id"], bob, "👍").ok
    edited = api.edit(sent["id"], alice, "edited").ok
    assert edited["reactions"] == {"👍": [bob]}
    assert api.unreact(sent["id"], bob, "👍").ok["edited_at"] == edited["edited_at"]


def test_who_leaves_leaves_them_behind(api, nothing_changes_after, group, sent, bob):
    liked = api.react(sent["id"], bob, "👍").ok
    api.leave(group, bob)
    assert api.message(sent["id"]) == liked
    with nothing_changes_after():
        api.unreact(sent["id"], bob, "👍").problem(403, code="not_a_member")
    api.join(group, bob)
    assert api.unreact(sent["id"], bob, "👍").ok == sent


def test_to_what_came_before_one_was_there(api, group, sent):
    carol = new_name("c")
    api.group(carol)
    api.join(group, carol)
    assert api.react(sent["id"], carol, "👍").ok["reactions"] == {"👍": [carol]}


def test_what_is_so_already_changes_nothing(api, nothing_changes_after, sent, alice, bob):
    with nothing_changes_after():
        assert api.unreact(sent["id"], bob, "👍").ok == sent
    liked = api.react(sent["id"], bob, "👍").ok
    with nothing_changes_after():
        assert api.react(sent["id"], bob, "👍").ok == liked
        assert api.unreact(sent["id"], alice, "👍").ok == liked
        assert api.unreact(sent["id"], bob, "👎").ok == liked


def test_a_deleted_message_takes_none(api, nothing_changes_after, sent, alice, bob):
    api.react(sent["id"], bob, "👍").ok
    stub = api.erase(sent["id"], alice).ok
    assert "reactions" not in stub
    with nothing_changes_after():
        for emoji in ("👍", "👎"):
            api.react(sent["id"], bob, emoji).problem(409, code="message_deleted")
            assert api.unreact(sent["id"], bob, emoji).ok == stub


@pytest.mark.parametrize("deleted", [False, True], ids=["", "deleted"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_only_of_members(api, nothing_changes_after, group, sent, alice, bob, method, deleted):
    stranger = new_name()
    api.group(stranger)
    api.leave(group, bob)
    if deleted:
        api.erase(sent["id"], alice).ok
    with nothing_changes_after():
        for name in (stranger, bob, "nobody_at_all", alice.upper()):
            api.react(sent["id"], name, "👍", method).problem(403, code="not_a_member")


def test_the_two_of_a_private_chat_react(api, alice, bob):
    sent = api.send(api.private(alice, bob), alice)
    for name in (alice, bob):
        message = api.react(sent["id"], name, "👍").ok
    assert message["reactions"] == {"👍": [alice, bob]}


def test_there_are_at_most_32_different_ones(api, nothing_changes_after, sent, alice, bob):
    emojis = [chr(0x1f600 + i) for i in range(33)]
    for emoji in emojis[:32]:
        message = api.react(sent["id"], alice, emoji).ok
    assert message["reactions"] == {emoji: [alice] for emoji in emojis[:32]}
    with nothing_changes_after():
        for name in (alice, bob):
            api.react(sent["id"], name, emojis[32]).problem(422, code="too_many_reactions")
        assert api.react(sent["id"], alice, emojis[31]).ok == message
        assert api.unreact(sent["id"], alice, emojis[32]).ok == message
    assert api.react(sent["id"], bob, emojis[5]).ok["reactions"][emojis[5]] == [alice, bob]
    # One of two taken back makes no room, the other one does.
    api.unreact(sent["id"], alice, emojis[5]).ok
    with nothing_changes_after():
        api.react(sent["id"], bob, emojis[32]).problem(422, code="too_many_reactions")
    api.unreact(sent["id"], bob, emojis[5]).ok
    assert len(api.react(sent["id"], bob, emojis[32]).ok["reactions"]) == 32


def test_each_message_has_its_own(api, group, sent, alice):
    other = api.send(group, alice)
    api.react(sent["id"], alice, "👍").ok
    assert api.message(other["id"]) == other


@pytest.mark.parametrize("method, count", [("PUT", 1), ("DELETE", 1), ("PUT", 12)])
def test_twelve_at_once(stack, api, method, count):
    """By one user, of which one changes something; or by twelve, each of whom does."""
    names = [new_name() for _ in range(count)]
    group = api.group(*names)
    sent = api.send(group, names[0])
    if method == "DELETE":
        api.react(sent["id"], names[0], "👍").ok
    version = api.conversation(group)["version"]
    start = threading.Barrier(12)

    def react(name):
        with Client(stack) as own:
            own.get("/healthz").ok  # connected before the race begins
            start.wait()
            return own.react(sent["id"], name, "👍", method).ok

    at_once([lambda name=name: react(name) for name in names * (12 // count)])
    assert api.conversation(group)["version"] == version + count
    assert api.message(sent["id"]).get("reactions") == ({"👍": sorted(names)} if method == "PUT" else None)


def test_many_names_under_one_emoji(api):
    names = sorted(new_name() for _ in range(150))
    sent = api.send(api.group(*names), names[0])
    for name in names:
        message = api.react(sent["id"], name, "👍").ok
    assert message["reactions"] == {"👍": names}
