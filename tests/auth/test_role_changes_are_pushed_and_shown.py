"""A role change is one version. The push, the changes and the list show it."""
import pytest


@pytest.fixture
def cast(site):
    return [site.person(stem) for stem in ("owner", "bob", "eve")]


def test_a_role_change_is_pushed(site, cast, listen):
    owner, bob, eve = cast
    group = owner.group(bob)
    ears = {person: listen(person) for person in cast}
    owner.add(group, bob, role="admin").ok
    bob.add(group, eve).ok
    owner.add(group, eve, role="admin").ok
    bob.change(group, join="invite").ok
    owner.remove(group, eve).ok
    expected = [("member.updated", 2, bob.name, "admin"), ("member.joined", 3, eve.name, None),
                ("member.updated", 4, eve.name, "admin"),
                ("conversation.updated", 5, None, None), ("member.left", 6, eve.name, None)]

    def seen(events):
        return [(event["event"], event["version"], event.get("username"),
                 event.get("role") if event["event"] == "member.updated" else None) for event in events]

    assert seen(ears[owner].wait_for(group, 5)) == seen(ears[bob].wait_for(group, 5)) == expected
    # Eve receives everything from her joining up to and including her removal.
    assert seen(ears[eve].wait_for(group, 4)) == expected[1:]
    updated = next(event for event in ears[owner].about(group) if event["event"] == "conversation.updated")
    assert updated["object"]["join"] == "invite"


def test_a_transfer_of_ownership_is_pushed_for_both_users(site, cast, listen):
    owner, bob, _ = cast
    group = owner.group(bob)
    ear = listen(bob)
    owner.add(group, bob, role="owner").ok
    heard = ear.wait_for(group, 2)
    assert [event["version"] for event in heard] == [2, 3]
    assert {(event["event"], event["username"], event["role"]) for event in heard} \
        == {("member.updated", owner.name, "admin"), ("member.updated", bob.name, "owner")}
    assert owner.version(group) == 3


def test_adding_a_member_with_a_role_is_pushed(site, cast, listen):
    owner, bob, eve = cast
    group = owner.group(bob)
    ear = listen(bob)
    owner.add(group, eve, role="admin").ok
    site.settle()
    version = owner.version(group)
    heard = ear.wait_for(group, version - 1)
    assert [event["version"] for event in heard] == list(range(2, version + 1))
    assert owner.roles(group)[eve.name] == "admin"


def test_changes_show_each_member_once(site, cast):
    owner, bob, eve = cast
    group = owner.group(bob)
    for role in ("admin", "member", "admin"):
        owner.add(group, bob, role=role).ok
    bob.add(group, eve).ok
    page = owner.changes(group, after=1)
    assert page["version"] == 5 and page["messages"] == []
    assert page["members"] == [{"username": bob.name, "role": "admin"}, {"username": eve.name, "role": "member"}]
    assert page["conversation"]["join"] == "open"
    owner.remove(group, eve).ok
    (gone,) = owner.changes(group, after=5)["members"]
    assert gone["username"] == eve.name and gone["left"] is True


def test_the_list_shows_a_changed_role(site, cast):
    owner, bob, _ = cast
    group = owner.group(bob)
    since = bob.listed(group)["updated_at"]
    owner.add(group, bob, role="admin").ok
    (entry,) = bob.ask("GET", "/conversations", username=bob.name, updated_after=since).ok["conversations"]
    assert (entry["id"], entry["role"], entry["version"]) == (group, "admin", 2)


def test_every_object_of_a_group_shows_its_join_policy(site, cast, listen):
    owner, bob, eve = cast
    ear = listen(bob)
    made = owner.create(bob, join="invite").ok
    group = made["id"]
    assert made["join"] == owner.conversation(group)["join"] == owner.listed(group)["join"] == "invite"
    assert owner.changes(group)["conversation"]["join"] == "invite"
    assert owner.change(group, title="Tea").ok["join"] == "invite"
    (created, _) = ear.wait_for(group, 2)
    assert created["object"]["join"] == "invite"
    # Groups without an owner, as the ancestor creates them, show it too.
    plain = site.setter.create("group_chat", bob.name)
    assert plain["join"] == ("invite" if site.verifies else "open")


@pytest.mark.parametrize("join", ["closed", "", "Open", 7, True, []])
def test_an_invalid_join_policy_is_refused(site, cast, join):
    owner, bob, _ = cast
    with site.nothing_changes():
        owner.create(bob, join=join).problem(400, field="join")
