"""
A long message to thousands would fill nchan's memory, which holds a copy for each of them. So its event comes without
the text, and other pushes do not wait.
"""
import time

from chat import Chat
from stack import Stack

MEMBERS = 3000
OTHERS_WAIT_AT_MOST_S = 5


def test_a_huge_fan_out_comes_without_text_and_delays_no_other_push(listen):
    with Stack() as stack:
        chat = Chat(stack)
        crowd = chat.group(*(f"crowd_{number}" for number in range(MEMBERS)))
        pair = chat.private("ann", "bob")
        chat.settle()
        in_crowd = listen(stack, "crowd_7", "websocket")
        bob = listen(stack, "bob", "eventsource")
        sent = chat.send(crowd, "crowd_1", "x" * 65_000)
        start = time.monotonic()
        hello = chat.send(pair, "ann", "hello")
        [heard] = bob.wait_for(pair["id"], 1)
        assert time.monotonic() - start < OTHERS_WAIT_AT_MOST_S
        assert heard["message"] == hello
        [thin] = in_crowd.wait_for(crowd["id"], 1)
        assert thin == {"event": "message.created", "conversation": crowd["id"], "version": 2}
        assert chat.messages(crowd) == [sent]
        assert "push_refused" not in stack.log()
