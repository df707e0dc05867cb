"""
Everybody can join an open group, except users whom it removed. A group by invitation takes users whom a member adds.
"""
import pytest


@pytest.fixture
def cast(site):
    return [site.person(stem) for stem in ("owner", "bob", "eve")]


def test_anybody_can_join_an_open_group(site, cast):
    owner, bob, eve = cast
    group = owner.group(bob)
    eve.join(group).ok
    eve.leave(group).ok
    eve.join(group).ok
    assert eve.roles(group)[eve.name] == "member"


def test_only_added_users_join_a_group_by_invitation(site, cast):
    owner, bob, eve = cast
    group = owner.group(bob, join="invite")
    with site.nothing_changes():
        eve.join(group).problem(403, code="invite_only")
        bob.join(group).ok
    bob.add(group, eve).ok
    assert eve.listed(group)["role"] == "member"
    # A user who left by themselves needs an invitation again.
    eve.leave(group).ok
    with site.nothing_changes():
        eve.join(group).problem(403, code="invite_only")
    bob.add(group, eve).ok


def test_a_changed_policy_applies_to_the_next_join(site, cast):
    owner, bob, eve = cast
    group = owner.group(bob)
    owner.change(group, join="invite").ok
    eve.join(group).problem(403, code="invite_only")
    assert set(owner.conversation(group)["members"]) == {owner.name, bob.name}
    owner.change(group, join="open").ok
    eve.join(group).ok


@pytest.mark.parametrize("policy", ["open", "invite"])
def test_a_removed_user_cannot_rejoin_by_themselves(site, cast, policy):
    owner, bob, eve = cast
    group = owner.group(bob, eve, join=policy)
    owner.remove(group, eve).ok
    with site.nothing_changes():
        answer = eve.join(group)
        answer.problem(403)
        assert answer.json["code"] in {"open": ("removed",), "invite": ("removed", "invite_only")}[policy]
        bob.add(group, eve).problem(403)
        eve.leave(group).ok
        eve.join(group).problem(403)
        # Adding oneself counts as joining.
        eve.add(group, eve).problem(403)
        owner.remove(group, eve).ok
        eve.remove(group, eve).ok
        eve.join(group).problem(403)
    owner.add(group, eve).ok
    # Then the removal is forgotten.
    eve.leave(group).ok
    if policy == "open":
        eve.join(group).ok


def test_another_admin_can_bring_a_removed_user_back(site, cast):
    owner, bob, eve = cast
    carol = site.person("carol")
    group = owner.group(bob, carol, eve)
    for person in (bob, carol):
        owner.add(group, person, role="admin").ok
    bob.remove(group, eve).ok
    eve.join(group).problem(403, code="removed")
    carol.add(group, eve).ok
    assert eve.roles(group)[eve.name] == "member"


def test_removing_a_user_who_left_changes_nothing(site, cast):
    """There is no member to remove."""
    owner, bob, eve = cast
    group = owner.group(bob, eve)
    eve.leave(group).ok
    with site.nothing_changes():
        owner.remove(group, eve).ok
    eve.join(group).ok


def test_joining_a_private_chat_is_refused(site, cast):
    owner, bob, eve = cast
    chat = owner.create(bob, kind="private_chat").ok
    assert "join" not in chat
    with site.nothing_changes():
        owner.add(chat["id"], eve).problem(403, code="private_chat")
        owner.add(chat["id"], bob, role="admin").problem(403, code="private_chat")
        owner.remove(chat["id"], bob).problem(403, code="private_chat")
        owner.remove(chat["id"], owner).problem(403, code="private_chat")
        eve.join(chat["id"]).problem(403, code="private_chat")
    assert owner.roles(chat["id"]) == {owner.name: "member", bob.name: "member"}
    for person in (owner, bob):
        assert person.change(chat["id"], title=person.name).ok["title"] == person.name
    eve.change(chat["id"], title="x").problem(403, code="not_a_member")
    assert bob.create(owner, kind="private_chat").ok["id"] == chat["id"]


def test_a_pair_has_one_private_chat_no_matter_which_of_them_creates_it(site, cast):
    owner, bob, _ = cast
    chat = owner.create(bob, kind="private_chat").ok["id"]
    for asker, other in ((owner, bob), (bob, owner)):
        answer = asker.ask("POST", "/conversations", {"type": "private_chat", "members": [other.name],
                                                      "username": asker.name})
        assert answer.ok["id"] == chat
