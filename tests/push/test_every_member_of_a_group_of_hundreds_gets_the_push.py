"""One publish request names at most 255 channels; a larger group takes several."""
import pytest

from chat import contents, name


@pytest.mark.parametrize("size", [254, 255, 256, 300, 511])
def test_every_member_receives_the_message(chat, listen, stack, size):
    # Names of the maximum length: their list must fit into the header of the publish request.
    members = [name(f"user{number:05}") for number in range(size)]
    samples = [members[i] for i in (0, 1, size // 2, 253, size - 2, size - 1)]
    ears = [listen(stack, user, kind) for user, kind in zip(samples, ("websocket", "eventsource") * 3)]
    conversation = chat.group(*members)
    late = name("late")
    chat.group(late)
    for number in range(20):
        chat.send(conversation, members[number], f"number {number}")
    chat.join(conversation, late)
    for ear in ears:
        events = ear.wait_for(conversation["id"], 22)
        assert [event["version"] for event in events] == list(range(1, 23))
        assert events[0]["object"] == conversation
        assert contents(events) == [f"number {number}" for number in range(20)]
        assert events[-1]["username"] == late
