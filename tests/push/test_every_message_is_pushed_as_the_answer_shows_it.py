import pytest

from chat import name

# Texts that JSON, the header of a publish request, or the lines of an event stream could corrupt.
CONTENTS = ["hello", "", "two\nlines\r\n\n", 'quotes " and \\ and /', "\x01\x1f\x7f", "żółć 👍🏽 日本語", "\u2028\u2029",
            "data: x", "<script>&amp;</script>", " spaces ", "%00 %0a"]


@pytest.mark.parametrize("make", ["private", "group"])
def test_a_message_is_pushed_as_answered(chat, listen, kind, stack, make):
    ann, bob = name("ann"), name("bob")
    ears = [listen(stack, ann, kind), listen(stack, bob, kind)]
    conversation = getattr(chat, make)(ann, bob)
    sent = [chat.send(conversation, ann, content) for content in CONTENTS]
    expected = [{"event": "message.created", "conversation": conversation["id"], "version": 2 + i, "message": message}
                for i, message in enumerate(sent)]
    for ear in ears:
        assert ear.wait_for(conversation["id"], 1 + len(sent))[1:] == expected
    assert chat.messages(conversation) == sent
    assert [message["content"] for message in sent] == CONTENTS


def test_a_frame_has_the_form_of_the_contract(chat, listen, kind, stack):
    ann, bob = name("ann"), name("bob")
    ear = listen(stack, ann, kind)
    conversation = chat.private(ann, bob)
    chat.send(conversation, bob, "hello")
    ear.wait_for(conversation["id"], 2)
    for frame in ear.frames:
        assert frame["type"] == "notify"
        assert isinstance(frame["epoch"], str) and frame["epoch"]
        assert set(frame) == {"type", "epoch", "events"}
