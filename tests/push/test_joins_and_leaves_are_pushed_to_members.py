"""The user who joins or leaves receives the event too."""
from chat import contents, name, versions


def member_event(event, conversation, version, username):
    return {"event": event, "conversation": conversation["id"], "version": version, "username": username}


def test_joins_and_leaves_are_pushed_to_all_members(chat, listen, kind, stack):
    ann, bob, eve = name("ann"), name("bob"), name("eve")
    conversation = chat.group(ann, bob)
    chat.group(eve)
    ears = {user: listen(stack, user, kind) for user in (ann, bob, eve)}
    chat.join(conversation, eve)
    chat.send(conversation, eve, "hello")
    chat.leave(conversation, eve)
    for ear in ears.values():
        joined, said, left = ear.wait_for(conversation["id"], 3)
        assert joined == member_event("member.joined", conversation, 2, eve)
        assert contents([said]) == ["hello"]
        assert left == member_event("member.left", conversation, 4, eve)


def test_the_member_list_follows_joins_and_leaves(chat, listen, kind, stack):
    ann, eve = name("ann"), name("eve")
    conversation = chat.group(ann)
    chat.group(eve)
    ear = listen(stack, ann, kind)
    chat.join(conversation, eve)
    assert sorted(chat.conversation(conversation)["members"]) == sorted([ann, eve])
    chat.leave(conversation, eve)
    after = chat.conversation(conversation)
    assert after["members"] == [ann]
    assert versions(ear.wait_for(conversation["id"], 2)) == [2, 3]
    assert after["version"] == 3


def test_the_last_member_receives_their_own_leave(chat, listen, kind, stack):
    ann = name("ann")
    conversation = chat.group(ann)
    ear = listen(stack, ann, kind)
    chat.leave(conversation, ann)
    assert ear.wait_for(conversation["id"], 1) == [member_event("member.left", conversation, 2, ann)]
