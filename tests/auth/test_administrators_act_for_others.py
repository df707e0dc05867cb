"""That is how a host's own server posts: in the name of a user, or by its own authority."""
import pytest

from api import Client, new_name
from sites import bearer, jwt_stack
from stack import Stack
from tokens import Hs256


def test_an_administrator_acts_with_the_rights_of_the_named_user(verified):
    admin, ann, bob = verified.admin(), verified.person("ann"), verified.person("bob")
    group = ann.group(bob)
    said = admin.ask("POST", "/messages", {"conversation_id": group, "content": "hi", "username": bob.name}).ok
    assert said["sender"] == bob.name
    assert admin.ask("PATCH", f"/messages/{said['id']}", {"content": "hello",
                                                          "username": bob.name}).ok["content"] == "hello"
    # With the rights of that user, and no more.
    for method, path, body, code in (
            ("PATCH", f"/messages/{said['id']}", {"content": "x", "username": ann.name}, "not_the_sender"),
            ("PATCH", f"/conversations/{group}", {"title": "x", "username": bob.name}, "role_required"),
            ("PUT", f"/conversations/{group}/members/{bob.name}", {"role": "admin", "username": bob.name},
             "role_required"),
            ("DELETE", f"/conversations/{group}/members/{ann.name}?username={bob.name}", None, "role_required")):
        admin.ask(method, path, body).problem(403, code=code)
    assert admin.ask("GET", f"/messages?username={bob.name}").ok == bob.ask("GET", "/messages").ok
    assert admin.ask("GET", f"/conversations?username={bob.name}").ok == bob.ask("GET", "/conversations").ok


def test_an_invalid_name_is_refused(verified):
    admin, group = verified.admin(), verified.person("ann").group()
    for name in ("a b", "a" * 21, "a-b"):
        # Joining creates an authenticated user, but only with a valid name.
        admin.ask("POST", f"/conversations/{group}/join", {"username": name}).problem(404, code="invalid_username")
        admin.ask("GET", "/messages", username=name).problem(400, code="invalid_username")
        admin.ask("GET", "/conversations", username=name).problem(400, code="invalid_username")


def test_an_administrator_manages_any_group(verified):
    admin, ann, bob = verified.admin(), verified.person("ann"), verified.person("bob")
    group = ann.group()
    version = ann.version(group)
    said = ann.say(group, "rude").ok["id"]
    assert "deleted_at" in admin.ask("DELETE", f"/messages/{said}").ok
    assert admin.ask("PATCH", f"/conversations/{group}", {"title": "Tea", "join": "invite"}).ok["title"] == "Tea"
    assert admin.ask("PUT", f"/conversations/{group}/members/{bob.name}", {"role": "admin"}).ok["role"] == "admin"
    assert ann.roles(group) == {ann.name: "owner", bob.name: "admin"}
    assert admin.ask("PUT", f"/conversations/{group}/members/{bob.name}", {"role": "owner"}).ok["role"] == "owner"
    assert ann.roles(group) == {ann.name: "admin", bob.name: "owner"}
    assert admin.ask("DELETE", f"/conversations/{group}/members/{ann.name}").ok == {"result": "success"}
    assert set(bob.conversation(group)["members"]) == {bob.name}
    ann.join(group).problem(403)
    assert admin.ask("PUT", f"/conversations/{group}/members/{ann.name}", {}).ok["role"] == "member"
    assert admin.name not in bob.conversation(group)["members"]
    assert bob.version(group) > version


def test_an_administrator_cannot_send_or_edit_as_themselves(verified):
    """They are not a member, so they cannot send, and no message is theirs, so they cannot edit."""
    admin, ann = verified.admin(), verified.person("ann")
    group = ann.group()
    said = ann.say(group).ok["id"]
    with verified.nothing_changes():
        admin.ask("POST", "/messages", {"conversation_id": group, "content": "x"}).problem(403, code="not_a_member")
        admin.ask("PATCH", f"/messages/{said}", {"content": "x"}).problem(403, code="not_the_sender")
        admin.ask("PUT", f"/messages/{said}/reactions/x").problem(403, code="not_a_member")
        admin.ask("PUT", f"/conversations/{group}/read", {"seq": 1}).problem(403, code="not_a_member")


def test_an_administrator_gives_an_ownerless_group_an_owner(verified):
    admin, ann, bob = verified.admin(), verified.person("ann"), verified.person("bob")
    made = admin.ask("POST", "/conversations", {"type": "group_chat", "members": [ann.name, bob.name]}).ok
    group = made["id"]
    assert set(made["members"]) == {ann.name, bob.name}
    assert ann.roles(group) == {ann.name: "member", bob.name: "member"}
    admin.ask("PUT", f"/conversations/{group}/members/{ann.name}", {"role": "owner"}).ok
    assert ann.roles(group) == {ann.name: "owner", bob.name: "member"}
    made = admin.ask("POST", "/conversations", {"type": "group_chat", "members": [bob.name], "username": ann.name}).ok
    assert ann.roles(made["id"]) == {ann.name: "owner", bob.name: "member"}


def test_an_administrator_can_open_the_socket_of_another_user(verified, listen):
    admin, ann = verified.admin(), verified.person("ann")
    group = ann.group()
    ann.headers = admin.headers
    ear = listen(ann)
    admin.ask("POST", "/messages", {"conversation_id": group, "content": "hi", "username": ann.name}).ok
    (event,) = ear.wait_for(group, 1)
    assert event["message"]["content"] == "hi"


@pytest.mark.parametrize("names", ["root", " other,,chief , root  another"])
def test_the_setting_admins_makes_administrators(names, tmp_path):
    key = Hs256("tests")
    # From a file: a flag with blanks does not pass through the environment of a run.
    settings = tmp_path / "imd.conf"
    settings.write_text(f"admins = {names}\n")
    with jwt_stack(key, imd_flags=[f"--config={settings}"]) as stack:
        def metrics(name):
            with Client(stack, bearer(key.token(name))) as client:
                return client.get("/metrics").status

        assert metrics("root") == 200 and metrics("chief") == (200 if "chief" in names else 403)
        assert {metrics(name) for name in ("ROOT", "roo", "root_", "rootchief", "oot", new_name())} == {403}


def test_in_mode_none_there_are_no_administrators():
    with Stack(imd_flags=["--admins=root"], env={"AUTH": "none"}) as stack, Client(stack) as client:
        group = client.post("/conversations", {"type": "group_chat", "members": ["ann", "root"],
                                               "username": "ann"}).ok["id"]
        client.retitle(group, "root", "mine").problem(403, code="role_required")
        client.write("PUT", f"/conversations/{group}/members/root", {"username": "root", "role": "owner"}).problem(403)
