"""An authenticated caller need not be known to imd. Joining or creating a conversation creates the user."""
import pytest

from api import new_name
from handshake import UPGRADE, request


@pytest.fixture
def stranger(verified):
    return verified.person("new", known=False)


def test_an_unknown_caller_can_join(verified, stranger):
    owner = verified.person("owner")
    group = owner.group()
    stranger.join(group).ok
    assert set(owner.conversation(group)["members"]) == {owner.name, stranger.name}
    stranger.say(group, "hello").ok
    assert stranger.received()[0]["content"] == "hello"


def test_an_unknown_caller_can_create_a_conversation(verified, stranger):
    made = stranger.ask("POST", "/conversations", {"type": "group_chat", "members": []}).ok
    assert made["members"] == [stranger.name] and stranger.roles(made["id"]) == {stranger.name: "owner"}
    made = stranger.ask("POST", "/conversations", {"type": "group_chat", "members": [stranger.name, stranger.name]}).ok
    assert made["members"] == [stranger.name]


def test_an_unknown_caller_can_create_a_private_chat(verified, stranger):
    other = verified.person()
    made = stranger.ask("POST", "/conversations", {"type": "private_chat", "members": [other.name]}).ok
    assert set(made["members"]) == {stranger.name, other.name}
    with verified.nothing_changes():
        for members in ([], [stranger.name], [other.name, new_name()], [stranger.name, other.name, new_name()]):
            stranger.ask("POST", "/conversations", {"type": "private_chat", "members": members}).problem(400)


def test_an_unknown_caller_can_listen(verified, stranger, listen):
    """A user who listens before their first conversation receives its first message."""
    ear = listen(stranger)
    owner = verified.person("owner")
    group = owner.group(stranger)
    (created,) = ear.wait_for(group, 1)
    assert created["event"] == "conversation.created"


def test_a_caller_can_listen_without_giving_a_name(verified, stranger):
    assert request(verified.door, "/ws", {**UPGRADE, **stranger.headers}).status == 101


def test_reading_creates_no_user(verified, stranger):
    owner = verified.person("owner")
    group = owner.group()
    closed = owner.group(join="invite")
    with verified.nothing_changes():
        assert stranger.ask("GET", "/messages").ok == {"messages": [], "has_next": False}
        assert stranger.ask("GET", "/conversations").ok["conversations"] == []
        assert stranger.received() == []
        stranger.say(group).problem(403, code="not_a_member")
        stranger.join(closed).problem(403, code="invite_only")
        stranger.ask("GET", f"/conversations/{group}/changes").problem(403, code="not_a_member")


def test_adding_an_unknown_user_creates_them(verified):
    """A member adds them to an open group. The name is trusted, as in the member list of a new group."""
    owner, other = verified.person("owner"), verified.person()
    group = owner.group()
    owner.ask("POST", f"/conversations/{group}/join", {"username": other.name}).ok
    assert set(owner.conversation(group)["members"]) == {owner.name, other.name}
