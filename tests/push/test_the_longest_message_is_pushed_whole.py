"""JSON may escape each byte of the longest content, which makes it six times as long. The push must still arrive."""
import pytest

from chat import contents, name

LONGEST = 65536


@pytest.mark.parametrize("content", ["\x01" * LONGEST, '"' * LONGEST, "👍" * (LONGEST // 4)],
                         ids=["control", "quotes", "emoji"])
def test_the_longest_message_is_pushed_whole(chat, listen, kind, stack, content):
    ann, bob = name("ann"), name("bob")
    conversation = chat.private(ann, bob)
    ear = listen(stack, bob, kind)
    chat.send(conversation, ann, content)
    chat.send(conversation, ann, "after it")
    assert contents(ear.wait_for(conversation["id"], 2)) == [content, "after it"]
