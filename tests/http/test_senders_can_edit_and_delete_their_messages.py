import pytest

from api import new_name


def assert_all_readers_see(api, group, alice, messages):
    assert api.page(conversation_id=group)["messages"] == messages
    assert api.page(username=alice)["messages"] == messages
    assert api.seq_page(group, after_seq=0)["messages"] == messages
    assert sorted(api.changes(group)["messages"], key=lambda message: message["seq"]) == messages
    assert [api.message(message["id"]) for message in messages] == messages
    assert api.listed(alice, group)["last_message"] == messages[-1]


def test_a_single_message_is_returned_as_it_was_sent(api, nothing_changes_after, group, alice, bob):
    sent = [api.send(group, alice, "one"), api.send(group, bob, "two\n👍")]
    with nothing_changes_after():
        assert [api.message(message["id"]) for message in sent] == sent
        assert api.get(f"/messages/{sent[0]['id']}/?username={bob}").ok == sent[0]


def test_an_edit_changes_the_content_and_sets_edited_at(api, group, alice, bob):
    sent = [api.send(group, alice, "one"), api.send(group, bob, "two"), api.send(group, alice, "three")]
    before = api.conversation(group)
    edited = api.edit(sent[0]["id"], alice, "ONE 👍").ok
    after = api.conversation(group)
    assert edited == {**sent[0], "content": "ONE 👍", "edited_at": after["updated_at"]}
    assert after == {**before, "version": before["version"] + 1, "updated_at": edited["edited_at"]}
    assert edited["edited_at"] > sent[2]["timestamp"]
    assert_all_readers_see(api, group, alice, [edited, *sent[1:]])


def test_the_last_of_several_edits_wins(api, group, alice):
    sent = api.send(group, alice, "0")
    ticks = [sent["timestamp"]]
    for content in ("1", "", "0", "x" * 65_536, "2"):
        edited = api.edit(sent["id"], alice, content).ok
        assert edited == {**sent, "content": content, "edited_at": edited["edited_at"]}
        ticks.append(edited["edited_at"])
    assert ticks == sorted(set(ticks))
    assert api.conversation(group)["version"] == 7
    assert_all_readers_see(api, group, alice, [edited])


def test_an_edit_with_the_same_content_changes_nothing(api, nothing_changes_after, group, alice):
    sent = api.send(group, alice, "hello")
    with nothing_changes_after():
        assert api.edit(sent["id"], alice, "hello").ok == sent
    edited = api.edit(sent["id"], alice, "edited").ok
    with nothing_changes_after():
        assert api.edit(sent["id"], alice, "edited").ok == edited


def test_a_deletion_leaves_a_stub(api, group, alice, bob):
    first = api.send(group, bob, "one")
    sent = api.submit(group, alice, "two", client_id="k", reply_to=first["id"]).ok
    api.react(sent["id"], bob, "👍").ok
    api.edit(sent["id"], alice, "TWO").ok
    before = api.conversation(group)
    stub = api.erase(sent["id"], alice).ok
    after = api.conversation(group)
    assert stub == {**sent, "content": "", "deleted_at": after["updated_at"]}
    assert after == {**before, "version": before["version"] + 1, "updated_at": stub["deleted_at"]}
    assert_all_readers_see(api, group, alice, [first, stub])
    assert api.send(group, bob)["seq"] == 3


def test_deleting_twice_changes_nothing(api, nothing_changes_after, group, alice):
    stub = api.erase(api.send(group, alice)["id"], alice).ok
    with nothing_changes_after():
        assert api.erase(stub["id"], alice).ok == stub


@pytest.mark.parametrize("content", ["hello", "", "edited"])
def test_an_edit_of_a_deleted_message_is_refused(api, nothing_changes_after, group, alice, content):
    stub = api.erase(api.send(group, alice)["id"], alice).ok
    with nothing_changes_after():
        api.edit(stub["id"], alice, content).problem(409, code="message_deleted")


@pytest.mark.parametrize("deleted", [False, True], ids=["", "deleted"])
def test_edit_and_deletion_by_others_are_refused(api, nothing_changes_after, group, alice, bob, deleted):
    stranger = new_name()
    api.group(stranger)
    sent = api.send(group, alice)
    if deleted:
        api.erase(sent["id"], alice).ok
    with nothing_changes_after():
        for name in (bob, stranger, "nobody_at_all", alice.upper()):
            for content in ("edited", "hello"):
                api.edit(sent["id"], name, content).problem(403, code="not_the_sender")
            api.erase(sent["id"], name).problem(403, code="not_the_sender")


def test_a_sender_who_left_may_delete_but_not_edit(api, nothing_changes_after, group, alice):
    sent, deleted = api.send(group, alice), api.send(group, alice)
    api.erase(deleted["id"], alice).ok
    api.leave(group, alice)
    version = api.conversation(group)["version"]
    with nothing_changes_after():
        api.edit(sent["id"], alice, "edited").problem(403, "Not a member of the conversation", "not_a_member")
        api.edit(sent["id"], alice, sent["content"]).problem(403, code="not_a_member")
        api.edit(deleted["id"], alice, "edited").problem(403, code="not_a_member")
        api.react(sent["id"], alice, "x").problem(403, code="not_a_member")
        api.unreact(sent["id"], alice, "x").problem(403, code="not_a_member")
    assert api.erase(sent["id"], alice).ok["content"] == ""
    assert api.conversation(group)["version"] == version + 1


def test_a_sender_who_rejoined_may_edit_earlier_messages(api, group, alice):
    sent = api.send(group, alice)
    api.leave(group, alice)
    api.edit(sent["id"], alice, "edited").problem(403, code="not_a_member")
    api.join(group, alice)
    assert api.edit(sent["id"], alice, "edited").ok["content"] == "edited"


def test_messages_of_a_private_chat_can_be_edited_and_deleted(api, nothing_changes_after, alice, bob):
    sent = api.send(api.private(alice, bob), bob)
    assert api.edit(sent["id"], bob, "edited").ok["content"] == "edited"
    with nothing_changes_after():
        api.edit(sent["id"], alice, "hers").problem(403, code="not_the_sender")
    assert "deleted_at" in api.erase(sent["id"], bob).ok


def test_edits_and_deletions_do_not_change_the_order_by_time(api, group, alice):
    """An edited or deleted message keeps its timestamp, so old clients do not get it a second time."""
    sent = [api.send(group, alice, str(i)) for i in range(4)]
    edited = api.edit(sent[0]["id"], alice, "edited").ok
    stub = api.erase(sent[1]["id"], alice).ok
    assert api.page(conversation_id=group, after=sent[1]["timestamp"])["messages"] == sent[2:]
    assert api.page(username=alice, limit=2) == {"messages": [edited, stub], "has_next": True}
