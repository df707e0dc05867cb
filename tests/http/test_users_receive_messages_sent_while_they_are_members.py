import pytest

from api import new_name


@pytest.fixture
def people(api):
    """Users who are known to the server, but are not members of conversations with messages."""
    names = [new_name() for _ in range(3)]
    api.group(*names)
    return names


def contents(api, **query):
    return [message["content"] for message in api.all_messages(limit=2, **query)]


def test_a_user_receives_the_messages_of_each_stay_and_no_others(api, people):
    alice, bob, carol = people
    group = api.group(alice, bob)
    api.send(group, alice, "1 both")
    api.send(group, bob, "2 both")
    api.leave(group, bob)
    api.send(group, alice, "3 without bob")
    api.join(group, carol)
    api.send(group, alice, "4 with carol")
    api.join(group, bob)
    api.send(group, carol, "5 all")
    api.leave(group, alice)
    api.leave(group, bob)
    api.send(group, carol, "6 carol alone")
    api.join(group, bob)
    api.send(group, bob, "7 bob is back")
    assert contents(api, username=alice) == ["1 both", "2 both", "3 without bob", "4 with carol", "5 all"]
    assert contents(api, username=bob) == ["1 both", "2 both", "5 all", "7 bob is back"]
    assert contents(api, username=carol) == ["4 with carol", "5 all", "6 carol alone", "7 bob is back"]
    assert len(contents(api, conversation_id=group)) == 7


def test_stays_without_a_message_add_nothing(api, people):
    alice, bob, _ = people
    group = api.group(alice)
    api.send(group, alice, "before")
    for _ in range(5):
        api.join(group, bob)
        api.leave(group, bob)
    api.send(group, alice, "after")
    assert contents(api, username=bob) == []


def test_joining_twice_duplicates_no_message(api, people):
    alice, bob, _ = people
    group = api.group(alice)
    api.join(group, bob)
    api.send(group, alice, "one")
    api.join(group, bob)
    api.send(group, alice, "two")
    assert contents(api, username=bob) == ["one", "two"]


def test_messages_of_all_conversations_are_merged_by_time(api, people):
    alice, bob, carol = people
    first, second, private = api.group(alice, bob), api.group(bob, alice, carol), api.private(bob, alice)
    foreign = api.group(bob, carol)
    expected = []
    for i in range(4):
        expected += [f"{i} first", f"{i} private", f"{i} second"]
        api.send(first, alice, f"{i} first")
        api.send(private, bob, f"{i} private")
        api.send(foreign, carol, f"{i} foreign")
        api.send(second, carol, f"{i} second")
    assert contents(api, username=alice) == expected
    assert contents(api, username=carol) == [f"{i} {what}" for i in range(4) for what in ("foreign", "second")]


def test_after_and_limit_apply_across_conversations(api, people):
    alice = people[0]
    groups = [api.group(alice), api.group(alice)]
    sent = [api.send(groups[i % 2], alice, str(i)) for i in range(6)]
    assert api.page(username=alice, after=sent[1]["timestamp"], limit=3) == {"messages": sent[2:5], "has_next": True}
    assert api.page(username=alice, after=sent[2]["timestamp"], limit=3) == {"messages": sent[3:], "has_next": False}
    assert api.page(username=alice, after=sent[5]["timestamp"]) == {"messages": [], "has_next": False}


def test_a_user_name_takes_precedence_over_a_conversation(api, people):
    alice, bob, carol = people
    first, second = api.group(alice), api.group(bob)
    hers, his = api.send(first, alice), api.send(second, bob)
    assert api.page(username=alice, conversation_id=second)["messages"] == [hers]
    assert api.page(username=carol, conversation_id=second)["messages"] == []
    assert api.page(username="nobody_at_all", conversation_id=second)["messages"] == []
    assert api.page(username=bob, conversation_id=2**62)["messages"] == [his]


def test_an_empty_parameter_counts_as_absent(api, people):
    alice = people[0]
    group = api.group(alice)
    message = api.send(group, alice)
    assert api.page(username="", conversation_id=group)["messages"] == [message]
    assert api.page(username=alice, conversation_id="")["messages"] == [message]


@pytest.mark.parametrize("query", [
    {"username": "nobody_at_all"}, {"conversation_id": 2**62}, {"conversation_id": 2**63 - 1},
], ids=str)
def test_an_unknown_user_has_received_nothing(api, query):
    assert api.page(**query) == {"messages": [], "has_next": False}


@pytest.mark.parametrize("query", [
    {}, {"username": ""}, {"conversation_id": ""}, {"username": "", "conversation_id": ""}, {"after": 0, "limit": 5},
], ids=str)
def test_a_request_without_user_and_conversation_is_refused(api, query):
    api.get("/messages/", **query).problem(400, "Either username or conversation ID must be specified")
