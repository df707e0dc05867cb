from api import Client, at_once, new_name


def test_consecutive_messages_have_rising_ticks(api):
    """Each is in its own transaction, many of them in one millisecond, and still has a later tick."""
    alice = new_name()
    groups = [api.group(alice) for _ in range(3)]
    sent = [api.send(groups[i % 3], alice, str(i)) for i in range(100)]
    for key in ("id", "timestamp"):
        values = [message[key] for message in sent]
        assert values == sorted(set(values)), key


def test_all_kinds_of_writes_share_the_ticks(api):
    alice, bob = new_name(), new_name()
    ticks = []
    for _ in range(10):
        group = api.create("group_chat", alice)
        ticks.append(group["created_at"])
        ticks.append(api.send(group["id"], alice)["timestamp"])
        private = api.create("private_chat", new_name(), new_name())
        ticks.append(private["created_at"])
        api.group(bob)
        api.join(group["id"], bob)
        ticks.append(api.conversation(group["id"])["updated_at"])
        api.leave(group["id"], bob)
        ticks.append(api.conversation(group["id"])["updated_at"])
    assert ticks == sorted(set(ticks))


def test_concurrent_messages_have_ticks_in_order_of_id(stack, api):
    senders = [new_name() for _ in range(8)]
    groups = [api.group(*senders) for _ in range(4)]

    def send_many(number):
        with Client(stack) as own:
            return [own.send(groups[(i + number) % 4], senders[number], str(i)) for i in range(25)]

    each = at_once([lambda number=number: send_many(number) for number in range(8)])
    for sent in each:
        # Each was answered before the next was sent, so they cannot share a tick.
        ticks = [message["timestamp"] for message in sent]
        assert ticks == sorted(set(ticks))
    everything = sorted((message for sent in each for message in sent), key=lambda message: message["id"])
    ticks = [message["timestamp"] for message in everything]
    assert ticks == sorted(ticks)
    assert len({message["id"] for message in everything}) == 200
    for group in groups:
        seqs = [message["seq"] for message in everything if message["conversation"] == group]
        assert seqs == list(range(1, 51))
