"""
The successor is the longest-standing admin, else the longest-standing member. The succession counts one more version.
"""
import pytest


@pytest.fixture
def cast(site):
    return [site.person(stem) for stem in ("owner", "one", "two", "three")]


def leave(person, group):
    person.leave(group).ok


def remove_oneself(person, group):
    person.remove(group, person).ok


@pytest.fixture(params=[leave, remove_oneself])
def go(request):
    return request.param


def test_an_admin_succeeds_the_owner(site, cast, go):
    owner, one, two, three = cast
    group = owner.group(one, two, three)
    # The longest-standing member counts, not the first admin.
    for person in (three, two):
        owner.add(group, person, role="admin").ok
    before = owner.version(group)
    go(owner, group)
    # The first members have equal seniority, so any of them may succeed.
    roles = one.roles(group)
    assert sorted(roles.values()) == ["admin", "member", "owner"] and roles[one.name] == "member"
    assert one.version(group) == before + 2


def test_the_longest_standing_admin_succeeds(site, cast, go):
    owner, one, two, three = cast
    group = owner.group()
    for person in (two, three, one):
        owner.add(group, person).ok
    for person in (one, three):
        owner.add(group, person, role="admin").ok
    go(owner, group)
    assert two.roles(group) == {two.name: "member", three.name: "owner", one.name: "admin"}
    go(three, group)
    assert two.roles(group) == {two.name: "member", one.name: "owner"}
    go(one, group)
    assert two.roles(group) == {two.name: "owner"}


def test_the_longest_standing_member_succeeds_without_an_admin(site, cast, go):
    owner, one, two, three = cast
    group = owner.group()
    for person in (two, three, one):
        owner.add(group, person).ok
    # A member who left in between has lost their seniority.
    two.leave(group).ok
    two.join(group).ok
    go(owner, group)
    assert two.roles(group) == {two.name: "member", three.name: "owner", one.name: "member"}


def test_the_last_member_leaves_a_group_without_owner(site, cast, go):
    owner, one, _, _ = cast
    group = owner.group()
    go(owner, group)
    # The group is empty. The next member finds a group without the old owner.
    one.join(group).ok
    assert set(one.roles(group)) == {one.name}
    assert one.conversation(group)["members"] == [one.name]


def test_an_owner_who_returns_is_a_plain_member(site, cast, go):
    owner, one, _, _ = cast
    group = owner.group(one)
    go(owner, group)
    owner.join(group).ok
    assert owner.roles(group) == {owner.name: "member", one.name: "owner"}
    owner.remove(group, one).problem(403, code="role_required")


def test_the_succession_is_pushed(site, cast, listen, go):
    owner, one, two, _ = cast
    group = owner.group(one, two)
    owner.add(group, two, role="admin").ok
    before = owner.version(group)
    ears = [listen(person) for person in (owner, one, two)]
    go(owner, group)
    left = {"event": "member.left", "conversation": group, "username": owner.name}
    updated = {"event": "member.updated", "conversation": group, "username": two.name, "role": "owner"}
    for ear in ears[1:]:
        heard = ear.wait_for(group, 2)
        assert sorted(event["version"] for event in heard) == [before + 1, before + 2]
        assert [event["version"] for event in heard] == [before + 1, before + 2]
        bare = [{key: value for key, value in event.items() if key != "version"} for event in heard]
        assert sorted(bare, key=str) == sorted([left, updated], key=str)
    # The owner who leaves receives at least their own leave.
    ears[0].wait(lambda: any(event["event"] == "member.left" for event in ears[0].about(group)), "they left")


def test_a_site_administrator_can_remove_an_owner(jwt):
    owner, one = jwt.person("owner"), jwt.person("one")
    group = owner.group(one)
    jwt.setter.remove(group, owner.name)
    assert one.roles(group) == {one.name: "owner"}
    owner.join(group).problem(403, code="removed")
