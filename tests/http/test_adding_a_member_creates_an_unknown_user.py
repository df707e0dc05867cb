"""PUT /conversations/{id}/members/{name} creates an unknown user, as creating a group does."""
import pytest

from api import new_name


def add(api, group, name, username, **role):
    return api.write("PUT", f"/conversations/{group}/members/{name}", {"username": username, **role})


def test_an_unknown_user_is_added(api):
    alice, new = new_name(), new_name()
    group = api.group(alice)
    assert add(api, group, new, alice).ok == {"username": new, "role": "member"}
    assert new in api.conversation(group)["members"]
    api.send(group, new)


def test_an_unknown_user_is_added_with_a_role(api):
    owner, new = new_name(), new_name()
    group = api.post("/conversations/", {"type": "group_chat", "members": [], "username": owner}).ok["id"]
    assert add(api, group, new, owner, role="admin").ok == {"username": new, "role": "admin"}


@pytest.mark.parametrize("name", ["no%20name", "x" * 21, "%C3%A9", "a.b", "-"])
def test_an_invalid_name_is_refused(api, nothing_changes_after, name):
    alice = new_name()
    group = api.group(alice)
    with nothing_changes_after():
        add(api, group, name, alice).problem(404, "Invalid username", field="username")


def test_a_refused_addition_creates_no_user(api, nothing_changes_after):
    alice, other, new = new_name(), new_name(), new_name()
    group, chat = api.group(alice), api.private(alice, other)
    with nothing_changes_after():
        add(api, group, new, other).problem(403, code="not_a_member")
        add(api, chat, new, alice).problem(403, code="private_chat")
        add(api, group, new, alice, role="admin").problem(403, code="role_required")
        add(api, group, new, alice, role="king").problem(400, code="invalid_role")


def test_join_and_remove_create_no_user(api, nothing_changes_after):
    """As in the ancestor."""
    alice, new = new_name(), new_name()
    group = api.group(alice)
    with nothing_changes_after():
        api.post(f"/conversations/{group}/join", {"username": new}).problem(404, "Invalid username")
        api.request("DELETE", f"/conversations/{group}/members/{new}?username={alice}").problem(404, "Invalid username")
