"""Above 100 members, conversations and their changes omit the names, and the changes omit the read markers too."""
import pytest

from api import new_name, reactions

LARGE = 101


@pytest.fixture
def names():
    return sorted(new_name() for _ in range(LARGE))


@pytest.fixture
def group(api, names):
    return api.group(*names)


def test_every_answer_has_the_count_and_up_to_a_hundred_names(api, names):
    for count in (0, 1, LARGE - 1, LARGE):
        made = api.create("group_chat", *names[:count])
        assert made["member_count"] == count
        assert made.get("members") == (names[:count] if count < LARGE else None)
        assert api.conversation(made["id"]) == made
        assert api.changes(made["id"])["conversation"]["member_count"] == count


def test_the_count_follows_joins_and_leaves(api, names):
    group = api.group(*names[:2])
    api.group(names[2])
    counts = []
    for act, name in ((api.join, 2), (api.join, 2), (api.leave, 0), (api.leave, 0), (api.leave, 1), (api.leave, 2)):
        act(group, names[name])
        found = api.conversation(group)
        assert found["member_count"] == len(found["members"])
        counts.append(found["member_count"])
    assert counts == [3, 3, 2, 2, 1, 0]


def test_a_users_list_omits_the_names_of_a_large_group(api, names, group):
    whole = api.conversation(group)
    assert "members" not in whole
    extra = {"role": "member", "read_seq": 0, "unread": 0, "last_message": None}
    assert api.listed(names[5], group) == {**whole, **extra}
    api.leave(group, names[0])
    assert api.conversation(group)["members"] == names[1:]
    assert api.listed(names[5], group) == {**api.conversation(group), **extra}
    api.join(group, names[0])
    assert api.listed(names[5], group) == {**api.conversation(group), **extra}


def test_changes_omit_the_first_members_of_a_large_group(api, names, group):
    """They share a version, so a page could not end between them. Their own pages list them."""
    api.read(group, names[1], 0).ok
    page = api.changes(group, limit=1000)
    assert page["conversation"] == api.conversation(group) and "read" not in page
    assert page["members"] == []
    api.leave(group, names[0])
    page = api.changes(group, after=1)
    assert (page["conversation"], page["read"]) == (api.conversation(group), {})
    assert page["members"] == [{"username": names[0], "role": "member", "left": True}]


@pytest.mark.parametrize("limit", [1, 100, LARGE - 1, LARGE])
def test_the_first_members_of_a_small_group_come_together(api, names, limit):
    """They share a version, so no page ends between them."""
    group = api.group(*names[1:])
    api.send(group, names[1])
    page = api.changes(group, limit=limit)
    if limit < LARGE:
        assert (len(page["members"]), page["messages"], page["version"], page["has_next"]) == (LARGE - 1, [], 1, True)
    else:
        assert (len(page["members"]), len(page["messages"]), page["version"]) == (LARGE - 1, 1, 2)


def test_commands_in_a_large_group_are_answered_as_in_a_small_one(api, names, group):
    named = api.retitle(group, names[3], "many").ok
    assert "members" not in named and named["member_count"] == LARGE
    sent = api.send(group, names[0])
    assert api.read(group, names[3], 1).ok == {"read_seq": 1, "unread": 0}
    assert api.listed(names[3], group)["read_seq"] == 1
    assert api.listed(names[4], group)["unread"] == 1
    assert reactions(api.react(sent["id"], names[4], "👍").ok) == {"👍": [names[4]]}
