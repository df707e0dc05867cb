import pytest

from api import Client, new_name

NOT_MESSAGES = [0, -1, "1", "", 1.5, 1.0, True, False, [], [1], {}, 2**62, 2**63 - 1]


@pytest.fixture
def alice():
    return new_name("a")


@pytest.fixture
def group(api, alice):
    return api.group(alice)


def test_a_reply_shows_the_id_of_the_message(api, group, alice):
    sent = api.send(group, alice)
    reply = api.submit(group, alice, reply_to=sent["id"]).ok
    assert set(reply) == set(sent) | {"reply_to"} and reply["reply_to"] == sent["id"]
    again = api.submit(group, alice, reply_to=reply["id"]).ok
    assert again["reply_to"] == reply["id"]
    expected = [sent, reply, again]
    assert api.page(conversation_id=group)["messages"] == expected
    assert api.page(username=alice)["messages"] == expected
    assert api.seq_page(group, after_seq=0)["messages"] == expected
    assert api.changes(group)["messages"] == expected
    assert [api.message(message["id"]) for message in expected] == expected


def test_a_reply_to_a_message_before_the_stay_is_accepted(api, group, alice):
    bob = new_name("b")
    api.group(bob)
    sent = api.send(group, alice)
    api.join(group, bob)
    assert api.submit(group, bob, reply_to=sent["id"]).ok["reply_to"] == sent["id"]


def test_a_reply_in_a_private_chat_is_accepted(api, alice):
    bob = new_name("b")
    private = api.private(alice, bob)
    sent = api.send(private, alice)
    assert api.submit(private, bob, reply_to=sent["id"]).ok["reply_to"] == sent["id"]


def test_changes_of_a_message_do_not_change_its_replies(api, group, alice):
    sent = api.send(group, alice)
    reply = api.submit(group, alice, reply_to=sent["id"]).ok
    api.edit(sent["id"], alice, "edited").ok
    stub = api.erase(sent["id"], alice).ok
    assert api.message(reply["id"]) == reply
    edited = api.edit(reply["id"], alice, "edited").ok
    assert edited["reply_to"] == sent["id"]
    assert api.erase(reply["id"], alice).ok["reply_to"] == sent["id"]
    assert api.message(sent["id"]) == stub


def test_a_null_reply_counts_as_absent(api, group, alice):
    assert "reply_to" not in api.submit(group, alice, reply_to=None).ok


def test_a_reply_to_a_deleted_message_is_accepted(api, group, alice):
    sent = api.send(group, alice)
    api.erase(sent["id"], alice).ok
    assert api.submit(group, alice, reply_to=sent["id"]).ok["reply_to"] == sent["id"]


@pytest.fixture(scope="module")
def chat(stack):
    """A conversation, its member, and a message of theirs in another conversation."""
    with Client(stack) as api:
        bob = new_name()
        group, other = api.group(bob), api.group(bob)
        api.send(group, bob)
        return group, bob, api.send(other, bob)


@pytest.mark.parametrize("value", NOT_MESSAGES, ids=repr)
def test_a_reply_to_an_unknown_message_is_refused(api, nothing_changes, chat, value):
    group, bob, _ = chat
    api.submit(group, bob, reply_to=value).problem(400, code="invalid_reply_to", field="reply_to")


def test_a_reply_to_a_message_of_another_conversation_is_refused(api, nothing_changes, chat):
    group, bob, foreign = chat
    api.submit(group, bob, reply_to=foreign["id"]).problem(400, code="invalid_reply_to", field="reply_to")


def test_a_reply_to_a_number_beyond_all_ids_is_refused(api, nothing_changes, chat):
    group, bob, _ = chat
    for value in (2**63, -2**63 - 1, 10**400):
        api.submit(group, bob, reply_to=value).problem(400)
