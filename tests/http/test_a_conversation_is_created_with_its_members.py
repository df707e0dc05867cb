import time

import pytest

from api import new_name


@pytest.mark.parametrize("kind", ["private_chat", "group_chat"])
def test_the_answer_has_the_fields_of_the_contract(api, kind):
    alice, bob = new_name("a"), new_name("b")
    before_ms = time.time() * 1000
    conversation = api.create(kind, alice, bob)
    after_ms = time.time() * 1000
    assert set(conversation) == {"id", "type", "title", "members", "member_count", "created_at", "updated_at",
                                 "last_seq", "version", *(["join"] if kind == "group_chat" else [])}
    assert (conversation["title"], conversation["member_count"]) == ("", 2)
    assert type(conversation["id"]) is int and conversation["id"] >= 1
    assert (conversation["type"], conversation["members"]) == (kind, [alice, bob])
    assert (conversation["last_seq"], conversation["version"]) == (0, 1)
    assert conversation["created_at"] == conversation["updated_at"]
    assert before_ms - 1000 < conversation["created_at"] < after_ms + 1000
    assert api.conversation(conversation["id"]) == conversation


def test_members_are_in_byte_order(api):
    n = new_name("")
    mixed = [f"b{n}", f"_{n}", f"B{n}", f"1{n}", f"a{n}", f"A{n}"]
    expected = sorted(mixed, key=str.encode)
    conversation = api.create("group_chat", *mixed)
    assert conversation["members"] == expected
    assert api.conversation(conversation["id"])["members"] == expected
    pair = api.create("private_chat", f"b{n}", f"B{n}")
    assert pair["members"] == [f"B{n}", f"b{n}"]


def test_a_group_may_have_one_member_or_none(api):
    alice = new_name()
    assert api.create("group_chat", alice)["members"] == [alice]
    assert api.create("group_chat")["members"] == []


def test_a_duplicate_name_counts_once(api):
    alice, bob = new_name("a"), new_name("b")
    assert api.create("group_chat", bob, alice, bob, alice)["members"] == [alice, bob]


def test_the_same_members_get_a_new_group_each_time(api):
    alice, bob = new_name(), new_name()
    assert api.group(alice, bob) != api.group(alice, bob)


def test_a_name_may_have_20_characters(api):
    name = new_name("x" * 10).ljust(20, "y")
    assert len(name) == 20
    conversation = api.create("group_chat", name)
    assert conversation["members"] == [name]
    assert api.send(conversation["id"], name)["sender"] == name


def test_a_group_may_have_a_thousand_members(api):
    n = new_name("")
    members = sorted(f"m{i}{n}" for i in range(1000))
    made = api.create("group_chat", *members)
    assert made["member_count"] == 1000
    assert [member["username"] for member in api.members(made["id"])] == members


def test_naming_a_user_makes_them_known(api):
    alice, bob = new_name(), new_name()
    group = api.group(alice)
    api.post(f"/conversations/{group}/join", {"username": bob}).problem(404, "Invalid username", field="username")
    api.group(bob)
    api.join(group, bob)
