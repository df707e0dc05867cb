from api import Client, at_once, new_name

MANY = 1_004


def unread(api, name, group):
    """The count by the list and by a marker that does not move: they must be equal."""
    entry = api.listed(name, group)
    assert api.read(group, name, 0).ok == {"read_seq": entry["read_seq"], "unread": entry["unread"]}
    return entry["unread"]


def test_messages_of_others_count(api, group, alice, bob):
    assert (unread(api, alice, group), unread(api, bob, group)) == (0, 0)
    for count in range(1, 4):
        api.send(group, alice)
        assert (unread(api, alice, group), unread(api, bob, group)) == (0, count)


def test_own_messages_do_not_count(api, group, alice, bob):
    for name in (alice, bob, bob, alice, bob):
        api.send(group, name)
    assert (unread(api, alice, group), unread(api, bob, group)) == (3, 2)
    # Sending does not move the marker either.
    assert api.listed(bob, group)["read_seq"] == 0
    assert api.read(group, alice, 3).ok == {"read_seq": 3, "unread": 1}


def test_deleted_messages_do_not_count(api, group, alice, bob):
    sent = [api.send(group, alice) for _ in range(3)]
    for count, message in zip((2, 1, 0), sent):
        api.erase(message["id"], alice).ok
        assert unread(api, bob, group) == count


def test_edits_and_reactions_do_not_count(api, group, alice, bob):
    sent = [api.send(group, alice) for _ in range(3)]
    api.read(group, bob, 2).ok
    for message in sent:
        api.edit(message["id"], alice, "edited").ok
        api.react(message["id"], alice, "👍").ok
    assert unread(api, bob, group) == 1


def test_messages_outside_the_stays_do_not_count(api, group, alice, bob):
    """Neither those before the first stay nor those between two stays."""
    api.send(group, alice, "received")
    for _ in range(3):
        api.leave(group, bob)
        for _ in range(4):
            api.send(group, alice, "missed")
        api.join(group, bob)
        api.send(group, alice, "received")
        api.send(group, alice, "received")
    assert unread(api, bob, group) == 7
    carol = new_name("c")
    api.group(carol)
    api.join(group, carol)
    assert unread(api, carol, group) == 0
    # The stays' messages are 1, 6 and 7, 12 and 13, 18 and 19.
    for seq, left in ((1, 6), (5, 6), (6, 5), (10, 4), (13, 2), (18, 1), (19, 0)):
        assert api.read(group, bob, seq).ok == {"read_seq": seq, "unread": left}


def test_messages_missed_after_the_marker_do_not_count(api, group, alice, bob):
    api.leave(group, bob)
    api.send(group, alice)
    api.join(group, bob)
    assert api.read(group, bob, 1).ok == {"read_seq": 1, "unread": 0}
    api.send(group, alice)
    assert unread(api, bob, group) == 1


def test_messages_of_a_private_chat_count(api, alice, bob):
    private = api.private(alice, bob)
    for _ in range(3):
        api.send(private, alice)
    assert (unread(api, alice, private), unread(api, bob, private)) == (0, 3)


def test_the_count_stops_at_1000(stack, api, alice, bob):
    senders = [new_name() for _ in range(4)]
    group = api.group(alice, bob, *senders)

    def send_many(sender):
        with Client(stack) as own:
            for i in range(MANY // 4):
                message = {"conversation_id": group, "username": sender, "content": str(i)}
                own.write_unseen("POST", "/messages", message)

    at_once([lambda sender=sender: send_many(sender) for sender in senders])
    assert unread(api, alice, group) == 1000
    for seq, count in ((1, 1000), (3, 1000), (4, 1000), (5, 999), (500, 504), (MANY - 1, 1), (MANY, 0)):
        assert api.read(group, alice, seq).ok == {"read_seq": seq, "unread": count}
        assert unread(api, alice, group) == count
    # The same over several stays.
    for _ in range(2):
        api.leave(group, bob)
        api.join(group, bob)
        assert unread(api, bob, group) == 1000
        api.send(group, alice)
    for seq, count in ((5, 1000), (6, 1000), (7, 999), (MANY, 2), (MANY + 1, 1), (MANY + 2, 0)):
        assert api.read(group, bob, seq).ok == {"read_seq": seq, "unread": count}
