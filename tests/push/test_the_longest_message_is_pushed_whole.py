"""The longest content grows sixfold where JSON must escape each byte of it; the push must still find its way."""
import pytest

from chat import contents, name

LONGEST = 65536


@pytest.mark.parametrize("content", ["\x01" * LONGEST, '"' * LONGEST, "👍" * (LONGEST // 4)],
                         ids=["control", "quotes", "emoji"])
def test_longest(chat, listen, kind, stack, content):
    ann, bob = name("ann"), name("bob")
    conversation = chat.private(ann, bob)
    ear = listen(stack, bob, kind)
    chat.send(conversation, ann, content)
    chat.send(conversation, ann, "after it")
    assert contents(ear.wait_for(conversation["id"], 2)) == [content, "after it"]
