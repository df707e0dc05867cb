import pytest

from chat import name


@pytest.mark.parametrize("make", ["private", "group"])
def test_a_new_conversation_is_pushed_to_its_members(chat, listen, kind, stack, make):
    ann, bob = name("ann"), name("bob")
    ears = [listen(stack, ann, kind), listen(stack, bob, kind)]
    conversation = getattr(chat, make)(ann, bob)
    expected = {"event": "conversation.created", "conversation": conversation["id"], "version": 1,
                "object": conversation}
    for ear in ears:
        assert ear.wait_for(conversation["id"], 1) == [expected]
    assert chat.conversation(conversation) == conversation
    assert (conversation["version"], conversation["last_seq"]) == (1, 0)


def test_a_new_group_of_one_is_pushed(chat, listen, kind, stack):
    ann = name("ann")
    ear = listen(stack, ann, kind)
    conversation = chat.group(ann)
    [event] = ear.wait_for(conversation["id"], 1)
    assert event["object"] == conversation
