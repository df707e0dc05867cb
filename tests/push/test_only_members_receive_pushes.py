from chat import contents, name, versions


def test_strangers_receive_nothing(chat, listen, kind, stack):
    ann, bob, eve = name("ann"), name("bob"), name("eve")
    # Names that a careless channel name could confuse with ann's.
    others = [eve, ann[:-1], ann.upper(), ann + "1", "nobody_" + ann[-8:]]
    ears = {user: listen(stack, user, kind) for user in others}
    for conversation in (chat.private(ann, bob), chat.group(ann, bob)):
        chat.send(conversation, ann, "secret")
    group = chat.group(ann, bob)
    chat.leave(group, bob)
    chat.join(group, bob)
    for user, ear in ears.items():
        chat.fence(ear, user)
        assert not [event for event in ear.events if event["event"].startswith("member.")]
        assert contents(ear.events) == ["the fence"]


def test_former_members_receive_nothing(chat, listen, kind, stack):
    ann, bob = name("ann"), name("bob")
    conversation = chat.group(ann, bob)
    ear = listen(stack, bob, kind)
    chat.send(conversation, ann, "before")
    chat.leave(conversation, bob)
    chat.send(conversation, ann, "without bob")
    chat.leave(conversation, ann)
    chat.fence(ear, bob)
    assert versions(ear.about(conversation["id"])) == [2, 3]
    assert contents(ear.about(conversation["id"])) == ["before"]


def test_members_who_return_receive_pushes_again(chat, listen, kind, stack):
    ann, bob = name("ann"), name("bob")
    conversation = chat.group(ann, bob)
    ear = listen(stack, bob, kind)
    chat.leave(conversation, bob)
    chat.send(conversation, ann, "without bob")
    chat.join(conversation, bob)
    chat.send(conversation, ann, "with bob")
    events = ear.wait_for(conversation["id"], 3)
    assert versions(events) == [2, 4, 5]
    assert contents(events) == ["with bob"]


def test_new_members_receive_no_earlier_pushes(chat, listen, kind, stack):
    ann, bob = name("ann"), name("bob")
    chat.group(bob)
    conversation = chat.group(ann)
    ear = listen(stack, bob, kind)
    chat.send(conversation, ann, "the past")
    chat.join(conversation, bob)
    [event] = ear.wait_for(conversation["id"], 1)
    assert (event["event"], event["version"]) == ("member.joined", 3)
