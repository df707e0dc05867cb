"""The loop of the ancestor's client: ask again with `after` = the last timestamp held, while eight users send."""
import threading

import pytest

from api import Client, at_once, new_name

SENDERS, EACH = 8, 30


def read_until_quiet(stack, quiet, **query):
    """Returns everything that a reader holds who continues until nothing more comes after the senders ended."""
    held = []
    with Client(stack) as api:
        while True:
            last_round = quiet.is_set()
            page = api.page(limit=7, after=held[-1]["timestamp"] if held else 0, **query)
            held += page["messages"]
            if last_round and not page["has_next"]:
                return held


@pytest.mark.parametrize("conversations", [1, 3])
def test_paging_by_timestamp_loses_and_repeats_nothing(stack, api, conversations):
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


def test_a_reader_who_joins_and_leaves_loses_nothing(stack, api):
    """Membership is evaluated when a message is sent, so no join or leave adds a message behind the reader."""
    senders, guest = [new_name() for _ in range(4)], new_name()
    group = api.group(*senders)
    api.group(guest)
    quiet = threading.Event()

    def come_and_go():
        with Client(stack) as own:
            while not quiet.is_set():
                own.join(group, guest)
                own.leave(group, guest)

    def send(sender):
        with Client(stack) as own:
            return [own.send(group, sender, str(i)) for i in range(2 * EACH)]

    def send_all():
        try:
            return at_once([lambda sender=sender: send(sender) for sender in senders])
        finally:
            quiet.set()

    each, _, held = at_once([send_all, come_and_go, lambda: read_until_quiet(stack, quiet, username=guest)])
    everything = sorted((message for sent in each for message in sent), key=lambda message: message["id"])
    assert api.all_messages(conversation_id=group) == everything
    assert held == api.all_messages(username=guest)
    assert 0 < len(held) < len(everything)
    assert held == [message for message in everything if message in held]
