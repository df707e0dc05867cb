from api import new_name


def test_users_can_join_and_leave(api):
    alice, bob = new_name("a"), new_name("b")
    group = api.group(alice)
    api.group(bob)
    api.join(group, bob)
    assert api.conversation(group)["members"] == [alice, bob]
    api.leave(group, alice)
    assert api.conversation(group)["members"] == [bob]
    api.leave(group, bob)
    assert api.conversation(group)["members"] == []
    api.join(group, alice)
    assert api.conversation(group)["members"] == [alice]


def test_joining_again_changes_nothing(api, nothing_changes_after):
    alice = new_name()
    group = api.group(alice)
    with nothing_changes_after():
        api.join(group, alice)


def test_leaving_without_being_a_member_changes_nothing(api, nothing_changes_after):
    alice, bob = new_name(), new_name()
    group = api.group(alice)
    api.group(bob)
    with nothing_changes_after():
        api.leave(group, bob)
    api.leave(group, alice)
    with nothing_changes_after():
        api.leave(group, alice)
