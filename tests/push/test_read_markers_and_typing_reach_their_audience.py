import pytest

from chat import name, versions


def mark(chat, conversation, username, seq):
    answer = chat.ask("PUT", f"/conversations/{conversation['id']}/read", json={"username": username, "seq": seq})
    assert answer.status_code == 200, answer.text
    return answer.json()


def type_(chat, conversation, username):
    answer = chat.ask("POST", f"/conversations/{conversation['id']}/typing", json={"username": username})
    assert answer.status_code == 202, answer.text


def test_members_of_a_small_conversation_receive_all_read_markers(chat, listen, kind, stack):
    ann, bob, eve = name("ann"), name("bob"), name("eve")
    conversation = chat.group(ann, bob)
    chat.group(eve)
    sent = chat.send(conversation, ann, "read me")
    ears = [listen(stack, user, kind) for user in (ann, bob)]
    stranger = listen(stack, eve, kind)
    mark(chat, conversation, bob, 1)
    for ear in ears:
        [event] = ear.wait_for(conversation["id"], 1)
        # A read marker is personal, so it has no version.
        assert event == {"event": "read", "conversation": conversation["id"], "username": bob, "seq": sent["seq"]}
    chat.fence(stranger, eve)
    assert not stranger.about(conversation["id"])
    assert chat.conversation(conversation)["version"] == 2


# A conversation of 101 members is the smallest large one.
@pytest.mark.parametrize("members, told", [(100, True), (101, False)])
def test_in_a_large_conversation_only_the_reader_receives_a_read_marker(chat, listen, stack, members, told):
    ann, bob = name("ann"), name("bob")
    conversation = chat.group(ann, bob, *(name("m") for _ in range(members - 2)))
    for n in range(3):
        chat.send(conversation, ann, f"{n}")
    ears = {user: listen(stack, user) for user in (ann, bob)}
    type_(chat, conversation, ann)
    for seq in (1, 3, 2):
        mark(chat, conversation, bob, seq)
    chat.send(conversation, ann, "4")
    for user, ear in ears.items():
        chat.fence(ear, user)
    heard = {user: [event["seq"] for event in ear.about(conversation["id"]) if event["event"] == "read"]
             for user, ear in ears.items()}
    assert heard == {bob: [1, 3], ann: [1, 3] if told else []}
    typing = [event for event in ears[bob].about(conversation["id"]) if event["event"] == "typing"]
    assert len(typing) == (1 if told else 0)


def test_the_other_members_receive_typing(chat, listen, kind, stack):
    ann, bob, cid, eve = name("ann"), name("bob"), name("cid"), name("eve")
    conversation = chat.group(ann, bob, cid)
    chat.group(eve)
    others = [listen(stack, user, kind) for user in (bob, cid)]
    own, stranger = listen(stack, ann, kind), listen(stack, eve, kind)
    type_(chat, conversation, ann)
    for ear in others:
        [event] = ear.wait_for(conversation["id"], 1)
        assert event == {"event": "typing", "conversation": conversation["id"], "username": ann}
    # Typing does not pass through the outbox, so a fence does not follow it reliably. A later
    # typing event does.
    type_(chat, conversation, bob)
    [event] = own.wait_for(conversation["id"], 1)
    assert event["username"] == bob
    chat.fence(stranger, eve)
    assert not stranger.about(conversation["id"])
    assert chat.conversation(conversation)["version"] == 1


def test_former_members_receive_no_markers_and_no_typing(chat, listen, kind, stack):
    ann, bob, cid = name("ann"), name("bob"), name("cid")
    conversation = chat.group(ann, bob, cid)
    chat.send(conversation, ann, "hello")
    chat.leave(conversation, cid)
    former, present = listen(stack, cid, kind), listen(stack, bob, kind)
    mark(chat, conversation, ann, 1)
    type_(chat, conversation, ann)
    present.wait_for(conversation["id"], 2)
    chat.fence(former, cid)
    assert not former.about(conversation["id"])


def test_markers_and_messages_keep_their_order(chat, listen, stack):
    """However events share frames, versions stay dense, and a marker never comes before its message."""
    ann, bob = name("ann"), name("bob")
    conversation = chat.group(ann, bob)
    ear = listen(stack, bob)
    for n in range(1, 101):
        chat.send(conversation, ann, f"{n}")
        mark(chat, conversation, bob, n)
    chat.fence(ear, bob)
    events = ear.about(conversation["id"])
    assert versions([event for event in events if event["event"] != "read"]) == list(range(2, 102))
    seen = 0
    for event in events:
        if event["event"] == "read":
            assert event["seq"] <= seen, events
        else:
            seen = event["message"]["seq"]
    assert [event["seq"] for event in events if event["event"] == "read"] == list(range(1, 101))
