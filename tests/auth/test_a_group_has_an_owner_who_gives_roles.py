from urllib.parse import quote

import pytest


@pytest.fixture
def cast(site):
    return [site.person(stem) for stem in ("owner", "adm", "bob", "eve")]


@pytest.fixture
def group(site, cast):
    """An owner, an admin and a member. eve is none of them."""
    owner, admin, bob, _ = cast
    made = owner.group(admin, bob)
    owner.add(made, admin, role="admin").ok
    return made


def test_the_creator_owns_the_group(site, cast):
    owner, admin, bob, eve = cast
    made = owner.create(bob, join="open").ok
    assert made["join"] == "open" and made["version"] == 1
    assert owner.roles(made["id"]) == bob.roles(made["id"]) == {owner.name: "owner", bob.name: "member"}
    assert owner.listed(made["id"])["role"] == "owner" and bob.listed(made["id"])["role"] == "member"
    # A creator need not be in `members`.
    made = owner.ask("POST", "/conversations", {"type": "group_chat", "members": [bob.name], "username": owner.name}).ok
    assert set(made["members"]) == {owner.name, bob.name} and made["member_count"] == 2
    assert owner.roles(made["id"])[owner.name] == "owner"


def test_a_group_without_a_creator_has_no_owner(site, cast):
    owner, admin, bob, eve = cast
    group = site.setter.group(owner.name, bob.name)
    assert owner.roles(group) == {owner.name: "member", bob.name: "member"}
    bob.change(group, title="Tea").ok
    owner.change(group, join="invite").problem(403, code="role_required")
    owner.remove(group, bob).problem(403, code="role_required")
    owner.add(group, bob, role="admin").problem(403, code="role_required")
    owner.add(group, owner, role="owner").problem(403, code="role_required")
    said = bob.say(group).ok["id"]
    owner.erase(said).problem(403, code="not_the_sender")
    bob.add(group, eve).ok
    assert eve.roles(group)[eve.name] == "member"


def test_adding_a_member_answers_with_their_role(site, cast, group):
    owner, admin, bob, eve = cast
    assert bob.add(group, eve).ok == {"username": eve.name, "role": "member"}
    assert owner.add(group, eve, role="admin").ok == {"username": eve.name, "role": "admin"}
    assert owner.add(group, eve, role="member").ok == {"username": eve.name, "role": "member"}
    assert owner.remove(group, eve).ok == {"result": "success"}
    assert owner.add(group, eve, role="admin").ok == {"username": eve.name, "role": "admin"}


def test_adding_a_member_again_changes_nothing(site, cast, group):
    owner, admin, bob, eve = cast
    before = owner.version(group)
    with site.nothing_changes():
        assert bob.add(group, admin).ok == {"username": admin.name, "role": "admin"}
        assert owner.add(group, owner).ok == {"username": owner.name, "role": "owner"}
        assert owner.add(group, admin, role="admin").ok["role"] == "admin"
        assert owner.add(group, bob, role="member").ok["role"] == "member"
        assert owner.add(group, owner, role="owner").ok["role"] == "owner"
    assert owner.version(group) == before


@pytest.mark.parametrize("role", ["boss", "", "Owner", "admin ", 7, True, [], {}])
def test_an_invalid_role_is_refused(site, cast, group, role):
    owner, admin, bob, eve = cast
    with site.nothing_changes():
        owner.add(group, bob, role=role).problem(400, field="role")
        owner.add(group, eve, role=role).problem(400, field="role")


def test_the_owner_gives_and_takes_roles(site, cast, group):
    owner, admin, bob, eve = cast
    before = owner.version(group)
    owner.add(group, bob, role="admin").ok
    assert owner.roles(group) == {owner.name: "owner", admin.name: "admin", bob.name: "admin"}
    owner.add(group, admin, role="member").ok
    assert owner.roles(group) == {owner.name: "owner", admin.name: "member", bob.name: "admin"}
    assert owner.version(group) == before + 2
    for listed, person in (("owner", owner), ("member", admin), ("admin", bob)):
        assert person.listed(group)["role"] == listed


def test_ownership_can_be_transferred_to_a_member(site, cast, group):
    owner, admin, bob, eve = cast
    assert owner.add(group, bob, role="owner").ok == {"username": bob.name, "role": "owner"}
    assert bob.roles(group) == {owner.name: "admin", admin.name: "admin", bob.name: "owner"}
    owner.add(group, owner, role="owner").problem(403, code="role_required")
    owner.remove(group, bob).problem(403, code="role_required")
    bob.remove(group, owner).ok
    assert bob.roles(group) == {admin.name: "admin", bob.name: "owner"}


def test_ownership_can_be_transferred_to_a_new_member(site, cast, group):
    owner, admin, bob, eve = cast
    assert owner.add(group, eve, role="owner").ok == {"username": eve.name, "role": "owner"}
    roles = eve.roles(group)
    assert (roles[eve.name], roles[owner.name]) == ("owner", "admin")


def test_an_owner_cannot_give_up_ownership(site, cast, group):
    """A group keeps its owner until ownership is transferred: the owner cannot demote themselves."""
    owner, admin, bob, eve = cast
    for role in ("admin", "member"):
        answer = owner.add(group, owner, role=role)
        assert 400 <= answer.status < 500, answer
    assert owner.roles(group)[owner.name] == "owner"


def test_an_admin_can_manage_members(site, cast, group):
    owner, admin, bob, eve = cast
    said = bob.say(group).ok["id"]
    assert admin.change(group, title="Tea").ok["title"] == "Tea"
    assert admin.change(group, join="invite").ok["join"] == "invite"
    assert "deleted_at" in admin.erase(said).ok
    admin.remove(group, bob).ok
    assert set(owner.conversation(group)["members"]) == {owner.name, admin.name}
    assert admin.add(group, bob).ok == {"username": bob.name, "role": "member"}
    admin.add(group, eve).ok


def test_an_admin_cannot_manage_admins_or_the_owner(site, cast, group):
    owner, admin, bob, eve = cast
    owner.add(group, eve, role="admin").ok
    said, other = owner.say(group).ok["id"], bob.say(group).ok["id"]
    with site.nothing_changes():
        for person in (owner, eve):
            admin.remove(group, person).problem(403, code="role_required")
        for person, role in ((bob, "admin"), (bob, "owner"), (eve, "member"), (admin, "owner"), (admin, "member"),
                             (owner, "member")):
            admin.add(group, person, role=role).problem(403, code="role_required")
        admin.edit(other, "changed").problem(403, code="not_the_sender")
        admin.edit(said, "changed").problem(403, code="not_the_sender")
    admin.leave(group).ok


def test_an_admin_cannot_add_a_member_with_a_role(site, cast, group):
    owner, admin, bob, eve = cast
    with site.nothing_changes():
        for role in ("admin", "owner"):
            admin.add(group, eve, role=role).problem(403, code="role_required")
            bob.add(group, eve, role=role).problem(403, code="role_required")
    assert bob.add(group, eve, role="member").ok["role"] == "member"


def test_an_admin_can_delete_messages_of_the_owner(site, cast, group):
    owner, admin, bob, eve = cast
    assert admin.erase(owner.say(group).ok["id"]).ok["content"] == ""


def test_a_member_cannot_manage_others(site, cast, group):
    owner, admin, bob, eve = cast
    bob.add(group, eve).ok
    said = owner.say(group).ok["id"]
    with site.nothing_changes():
        for person, role in ((owner, "member"), (owner, "admin"), (admin, "owner"), (admin, "member"), (eve, "admin")):
            bob.remove(group, person).problem(403, code="role_required")
            bob.add(group, person, role=role).problem(403, code="role_required")
        bob.add(group, bob, role="admin").problem(403, code="role_required")
        bob.change(group, title="mine").problem(403, code="role_required")
        bob.change(group, join="invite").problem(403, code="role_required")
        bob.erase(said).problem(403, code="not_the_sender")


def test_a_role_ends_with_the_membership(site, cast, group):
    """A member who returns, or is brought back after a removal, is a plain member."""
    owner, admin, bob, eve = cast
    admin.leave(group).ok
    with site.nothing_changes():
        admin.change(group, title="x").problem(403, code="not_a_member")
        admin.remove(group, bob).problem(403, code="not_a_member")
    admin.join(group).ok
    assert admin.roles(group)[admin.name] == "member"
    admin.change(group, title="x").problem(403, code="role_required")
    owner.add(group, admin, role="admin").ok
    owner.remove(group, admin).ok
    owner.add(group, admin).ok
    assert owner.roles(group)[admin.name] == "member"


def test_messages_of_former_members_stay_their_own(site, cast, group):
    owner, admin, bob, eve = cast
    mine = admin.say(group).ok["id"]
    others = bob.say(group).ok["id"]
    admin.leave(group).ok
    admin.edit(mine, "better").problem(403, code="not_a_member")
    admin.erase(others).problem(403, code="not_the_sender")
    admin.erase(mine).ok


def test_unknown_users_and_groups_change_nothing(site, cast, group):
    owner, admin, bob, eve = cast
    with site.nothing_changes():
        for name in ("a b", "a" * 21, "änn", "a-b"):
            assert owner.ask("PUT", f"/conversations/{group}/members/{quote(name)}",
                             {"username": owner.name}).status in (400, 404)
            assert owner.ask("DELETE", f"/conversations/{group}/members/{quote(name)}",
                             username=owner.name).status in (400, 404)
        owner.add(2 ** 60, bob).problem(404, code="invalid_conversation_id")
        owner.remove(2 ** 60, bob).problem(404, code="invalid_conversation_id")
        # Not a member: a success that changes nothing.
        assert owner.remove(group, eve).ok == {"result": "success"}


@pytest.mark.parametrize("what", [{}, {"join": "closed"}, {"join": ""}, {"join": None, "title": 7}, {"join": 1},
                                  {"join": ["open"]},
                                  {"title": "ok", "join": "Open"}, {"title": 7, "join": "open"}])
def test_invalid_changes_are_refused(site, cast, group, what):
    owner = cast[0]
    with site.nothing_changes():
        owner.change(group, **what).problem(400)


def test_title_and_policy_at_once_are_one_change(site, cast, group):
    owner = cast[0]
    before = owner.version(group)
    changed = owner.change(group, title="Tea", join="invite").ok
    assert (changed["title"], changed["join"], changed["version"]) == ("Tea", "invite", before + 1)
    with site.nothing_changes():
        assert owner.change(group, title="Tea", join="invite").ok["version"] == before + 1
        owner.change(group, join="invite").ok
    changed = owner.change(group, join="open").ok
    assert (changed["title"], changed["join"], changed["version"]) == ("Tea", "open", before + 2)
