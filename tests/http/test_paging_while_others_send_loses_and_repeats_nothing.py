"""The old client's loop: ask again with `after` = the last timestamp it holds, while eight send at once."""
import threading

import pytest

from api import Client, at_once, new_name

SENDERS, EACH = 8, 30


def read_until_quiet(stack, quiet, **query):
    """All that a reader holds who goes on until nothing came after the senders had ended."""
    held = []
    with Client(stack) as api:
        while True:
            last_round = quiet.is_set()
            page = api.page(limit=7, after=held[-1]["timestamp"] if held else 0, **query)
            held += page["messages"]
            if last_round and not page["has_next"]:
                return held


@pytest.mark.parametrize("conversations", [1, 3])
def test_it(stack, api, conversations):
    senders = [new_name() for _ in range(SENDERS)]
    groups = [api.group(*senders) for _ in range(conversations)]
    quiet, sent = threading.Event(), []

    def send():
        def send_many(sender):
            with Client(stack) as own:
                return [own.send(groups[i % conversations], sender, f"{sender} {i}") for i in range(EACH)]
        try:
            for messages in at_once([lambda sender=sender: send_many(sender) for sender in senders]):
                sent.extend(messages)
        finally:
            quiet.set()

    def reader(**query):
        return lambda: read_until_quiet(stack, quiet, **query)

    _, by_name, by_another, *by_group = at_once([send, reader(username=senders[0]), reader(username=senders[-1]),
                                                 *(reader(conversation_id=group) for group in groups)])
    sent.sort(key=lambda message: message["id"])
    assert len(sent) == SENDERS * EACH
    assert by_name == by_another == sent
    for group, held in zip(groups, by_group):
        assert held == [message for message in sent if message["conversation"] == group]
        assert [message["seq"] for message in held] == list(range(1, len(held) + 1))
