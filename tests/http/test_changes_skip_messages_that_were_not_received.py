"""Changes skip what a member did not receive. However much that is, pages continue and end."""
import pytest

from api import Client, at_once, new_name

MISSED = 2_400
WRITERS = 4


def write_many(stack, sender, group):
    """Sends messages, then edits each of them."""
    with Client(stack) as own:
        sent = [own.write_unseen("POST", "/messages", {"conversation_id": group, "username": sender, "content": str(i)})
                for i in range(MISSED // WRITERS)]
        for message in sent:
            own.write_unseen("PATCH", f"/messages/{message['id']}", {"username": sender, "content": "edited"})


@pytest.fixture(scope="module")
def chat(stack):
    """bob was there for a message, missed thousands, and was there for another. carol came after those."""
    with Client(stack) as api:
        alice, bob, carol = new_name("a"), new_name("b"), new_name("c")
        writers = [new_name() for _ in range(WRITERS)]
        group = api.group(alice, bob, *writers)
        api.group(carol)
        first = api.send(group, alice, "first")
        api.leave(group, bob)
        at_once([lambda name=name: write_many(stack, name, group) for name in writers])
        api.join(group, bob)
        api.join(group, carol)
        last = api.send(group, alice, "last")
        return {"group": group, "alice": alice, "bob": bob, "carol": carol, "first": first, "last": last}


def follow(api, chat, name, after, limit):
    held, more = [], True
    while more:
        page = api.changes(chat["group"], after=after, username=chat[name], limit=limit)
        assert page["version"] > after or not page["has_next"]
        assert len(page["messages"]) <= min(limit, 1000)
        held += page["messages"]
        after, more = page["version"], page["has_next"]
    assert after == api.conversation(chat["group"])["version"]
    return held


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_changes_between_two_stays_are_skipped(api, chat, limit):
    assert follow(api, chat, "bob", 0, limit) == [chat["first"], chat["last"]]
    # After the creation, the message that he received, and his leaving.
    assert follow(api, chat, "bob", 1, limit) == [chat["first"], chat["last"]]
    assert follow(api, chat, "bob", 2, limit) == [chat["last"]]
    assert follow(api, chat, "bob", 3, limit) == [chat["last"]]
    for after in (MISSED // 2, MISSED + 10, 2 * MISSED, 2 * MISSED + 3):
        assert follow(api, chat, "bob", after, limit) == [chat["last"]]


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_changes_before_the_first_stay_are_skipped(api, chat, limit):
    for after in (0, 1, MISSED // 2, MISSED + 10, 2 * MISSED):
        assert follow(api, chat, "carol", after, limit) == [chat["last"]]


def test_a_permanent_member_receives_all_changes(api, chat):
    held = follow(api, chat, "alice", 0, 5000)
    assert sorted(message["seq"] for message in held) == list(range(1, MISSED + 3))
    assert sum("edited_at" in message for message in held) == MISSED


@pytest.mark.parametrize("limit", [1, 1000])
def test_a_later_change_of_a_received_message_is_delivered(api, chat, limit):
    version = api.conversation(chat["group"])["version"]
    edited = chat["first"] = api.edit(chat["first"]["id"], chat["alice"], f"edited in {version}").ok
    assert follow(api, chat, "bob", version, limit) == [edited]
    assert follow(api, chat, "carol", version, limit) == []
    assert follow(api, chat, "bob", 0, limit) == [chat["last"], edited]
