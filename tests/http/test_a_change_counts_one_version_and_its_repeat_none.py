"""Each change that members share counts one version. A repeat, and a change that only concerns one user, count none."""
import pytest

from api import Client, at_once, new_name


class Chat:
    """A conversation in which every command changes something."""

    def __init__(self, api):
        self.api, self.alice, self.bob, self.carol = api, new_name("a"), new_name("b"), new_name("c")
        api.group(self.carol)
        self.group = api.group(self.alice, self.bob)
        self.first, self.liked, self.gone = (api.send(self.group, self.alice)["id"] for _ in range(3))
        api.react(self.liked, self.bob, "👍").ok
        api.react(self.gone, self.bob, "👍").ok
        api.erase(self.gone, self.alice).ok

    def post(self, action, name):
        return self.api.post(f"/conversations/{self.group}/{action}", {"username": name})


CHANGES = {
    "send": lambda chat: chat.api.submit(chat.group, chat.alice, client_id="k"),
    "send_by_header": lambda chat: chat.api.submit(chat.group, chat.alice, headers={"Idempotency-Key": "k"}),
    "reply": lambda chat: chat.api.submit(chat.group, chat.bob, reply_to=chat.first, client_id="k"),
    "edit": lambda chat: chat.api.edit(chat.first, chat.alice, "edited"),
    "erase": lambda chat: chat.api.erase(chat.first, chat.alice),
    "erase_what_has_reactions": lambda chat: chat.api.erase(chat.liked, chat.alice),
    "react": lambda chat: chat.api.react(chat.first, chat.bob, "👍"),
    "react_too": lambda chat: chat.api.react(chat.liked, chat.alice, "👍"),
    "unreact": lambda chat: chat.api.unreact(chat.liked, chat.bob, "👍"),
    "join": lambda chat: chat.post("join", chat.carol),
    "leave": lambda chat: chat.post("leave", chat.bob),
    "retitle": lambda chat: chat.api.retitle(chat.group, chat.bob, "title"),
}
NO_CHANGES = {
    "read": lambda chat: chat.api.read(chat.group, chat.bob, 2),
    "type": lambda chat: chat.post("typing", chat.bob),
    "join": lambda chat: chat.post("join", chat.alice),
    "leave": lambda chat: chat.post("leave", chat.carol),
    "unreact": lambda chat: chat.api.unreact(chat.first, chat.bob, "👍"),
    "unreact_a_deleted_message": lambda chat: chat.api.unreact(chat.gone, chat.bob, "👍"),
    "react": lambda chat: chat.api.react(chat.liked, chat.bob, "👍"),
    "erase": lambda chat: chat.api.erase(chat.gone, chat.alice),
    "edit": lambda chat: chat.api.edit(chat.first, chat.alice, "hello"),
    "retitle": lambda chat: chat.api.retitle(chat.group, chat.bob, ""),
    "look": lambda chat: chat.api.get(f"/messages/{chat.first}"),
    "page": lambda chat: chat.api.get("/messages/", conversation_id=chat.group, around_seq=2),
    "list": lambda chat: chat.api.get("/conversations/", username=chat.bob, updated_after=0),
    "changes": lambda chat: chat.api.get(f"/conversations/{chat.group}/changes", username=chat.bob),
}


@pytest.fixture
def chat(api):
    return Chat(api)


def granted(answer):
    assert answer.status in (200, 202), answer
    return answer.json


@pytest.mark.parametrize("command", CHANGES.values(), ids=CHANGES)
def test_a_change_counts_one_version_and_its_repeat_none(api, chat, command):
    other = api.create("group_chat", chat.alice, chat.bob)
    before = api.conversation(chat.group)
    answer = granted(command(chat))
    after = api.conversation(chat.group)
    assert after["version"] == before["version"] + 1
    assert after["updated_at"] > before["updated_at"]
    assert api.changes(chat.group, after=before["version"])["version"] == after["version"]
    for _ in range(2):
        assert granted(command(chat)) == answer
        assert api.conversation(chat.group) == after
    assert api.conversation(other["id"]) == other


@pytest.mark.parametrize("command", NO_CHANGES.values(), ids=NO_CHANGES)
def test_personal_changes_count_no_version(api, chat, command):
    before = api.conversation(chat.group)
    first = granted(command(chat))
    assert granted(command(chat)) == first
    assert api.conversation(chat.group) == before


def test_no_repeat_stores_anything(api, nothing_changes_after):
    """All repeats together, because comparing the whole database takes time."""
    commands = [*CHANGES.values(), *NO_CHANGES.values()]
    chats = [Chat(api) for _ in commands]
    answers = [granted(command(chat)) for command, chat in zip(commands, chats)]
    with nothing_changes_after():
        assert [granted(command(chat)) for command, chat in zip(commands, chats)] == answers


@pytest.mark.parametrize("command, member", [("send", "timestamp"), ("reply", "timestamp"), ("edit", "edited_at"),
                                             ("erase", "deleted_at"), ("retitle", "updated_at")])
def test_a_change_has_the_tick_of_its_conversation(api, chat, command, member):
    assert granted(CHANGES[command](chat))[member] == api.conversation(chat.group)["updated_at"]


def test_each_of_many_concurrent_changes_counts_one(stack, api):
    names = [new_name() for _ in range(6)]
    group = api.group(*names)
    own = {name: api.send(group, name)["id"] for name in names}
    version = api.conversation(group)["version"]

    def act(name):
        with Client(stack) as client:
            for i in range(10):
                client.send(group, name)
                client.edit(own[name], name, f"edit {i}").ok
                client.react(own[names[0]], name, "👍").ok
                client.unreact(own[names[0]], name, "👍").ok
                client.retitle(group, name, f"{name} {i}").ok
                client.leave(group, name)
                client.join(group, name)
                client.read(group, name, i).ok

    at_once([lambda name=name: act(name) for name in names])
    found = api.conversation(group)
    assert (found["version"], found["last_seq"]) == (version + 6 * 10 * 7, 6 + 6 * 10)
