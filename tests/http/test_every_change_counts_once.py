"""
`last_seq` numbers the messages of a conversation, `version` its changes; `updated_at` is the tick of the last one.
"""
from api import new_name


def counters(api, conversation):
    found = api.conversation(conversation)
    return found["last_seq"], found["version"], found["updated_at"]


def test_messages_joins_and_leaves_count_one_version_each(api):
    alice, bob = new_name(), new_name()
    group = api.group(alice)
    other = api.group(bob)
    seen = [counters(api, group)]
    steps = [lambda: api.send(group, alice), lambda: api.join(group, bob), lambda: api.send(group, bob),
             lambda: api.leave(group, alice), lambda: api.leave(group, bob), lambda: api.join(group, bob),
             lambda: api.send(group, bob)]
    for step in steps:
        step()
        api.send(other, bob)
        seen.append(counters(api, group))
    assert [last_seq for last_seq, _, _ in seen] == [0, 1, 1, 2, 2, 2, 2, 3]
    assert [version for _, version, _ in seen] == [1, 2, 3, 4, 5, 6, 7, 8]
    ticks = [updated_at for _, _, updated_at in seen]
    assert ticks == sorted(set(ticks))


def test_requests_that_change_nothing_count_no_version(api):
    alice, bob, carol = new_name(), new_name(), new_name()
    group = api.group(alice, carol)
    private = api.private(alice, bob)
    before = counters(api, group), counters(api, private)
    api.join(group, alice)
    api.leave(group, bob)
    assert api.private(bob, alice) == private
    api.post("/messages/", {"conversation_id": group, "username": bob, "content": "x"}).problem(403)
    assert (counters(api, group), counters(api, private)) == before


def test_each_conversation_has_its_own_seq(api):
    alice = new_name()
    groups = [api.group(alice) for _ in range(3)]
    sent = {group: [] for group in groups}
    for _ in range(5):
        for group in groups:
            sent[group].append(api.send(group, alice)["seq"])
    assert list(sent.values()) == [[1, 2, 3, 4, 5]] * 3


def test_updated_at_is_the_tick_of_the_message(api):
    alice = new_name()
    group = api.group(alice)
    message = api.send(group, alice)
    assert counters(api, group) == (1, 2, message["timestamp"])
