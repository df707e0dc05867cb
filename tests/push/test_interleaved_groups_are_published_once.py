"""
While the relay lags, two groups interleave more changes than fit into one batch. The relay ends such a batch before the
oldest unpublished change, when it has already published later ones of the other group. It must not publish those again.
"""
import re
import socket

from chat import contents, name, versions

# Together well over the 1 MB after which a batch ends, and below what one payer may publish at
# once.
MESSAGES = 24
CONTENT = "x" * 60000


def published(stack):
    """Returns how many publishes nchan has accepted since it started."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(stack.state / "push.sock"))
        connection.sendall(b"GET /status HTTP/1.1\r\nHost: imd\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    return int(re.search(r"total published messages: (\d+)", text)[1])


def test_a_batch_that_ends_early_publishes_no_change_twice(chat, listen, stack):
    user = name("user")
    groups = [chat.group(user) for _ in range(2)]
    ear = listen(stack, user)
    before = published(stack)
    stack.relay_stop()
    try:
        for number in range(MESSAGES):
            for group in groups:
                chat.send(group, user, f"{number} {CONTENT}")
    finally:
        stack.relay_continue()
    chat.settle()
    for group in groups:
        events = ear.wait_for(group["id"], MESSAGES)
        assert [int(content.split()[0]) for content in contents(events)] == list(range(MESSAGES))
        assert versions(events) == list(range(2, MESSAGES + 2))
    chat.fence(ear, user)
    assert len([event for event in ear.events if event["event"] == "message.created"]) == 2 * MESSAGES + 1
    # Each frame holds at least one event, so repeated frames would show here even if no listener
    # received them.
    assert published(stack) - before <= 2 * MESSAGES + 4
