"""
A client that holds a conversation at any version, and applies its changes since then, holds its present state. The
history is random. The state at each version is read by the other requests.
"""
import random
import threading

import pytest

from api import at_once, Client, new_name, reactions

STEPS = 90
EMOJIS = ["👍", "👎", "❤️"]


class History:
    """Changes a conversation in random ways, and records the expected state."""

    def __init__(self, api, seed):
        self._api, self._chance = api, random.Random(seed)
        self.names = [new_name() for _ in range(6)]
        api.group(*self.names)
        self.present = set(self.names[:3])
        self.id = api.group(*self.present)
        self.received = {name: set() for name in self.names}
        self.messages = {}
        # {("message", id) or ("member", name): version of its last change}
        self.changed_in = {("member", name): 1 for name in self.present}
        # At each version: ({message id: message}, present members)
        self.states = {0: ({}, set())}
        self._note(1)

    def _note(self, version):
        self.conversation = self._api.conversation(self.id)
        assert self.conversation["version"] == version
        self.messages = {message["id"]: message
                         for message in self._api.seq_page(self.id, after_seq=0, limit=1000)["messages"]}
        self.states[version] = self.messages, set(self.conversation["members"])
        assert self.states[version][1] == self.present

    def step(self):
        self.do(self._chance.choice([self._send, self._send, self._edit, self._erase, self._react, self._react,
                                     self._unreact, self.come_or_go, self.come_or_go, self._retitle]))

    def do(self, action):
        version, changed = self.conversation["version"], action()
        if changed:
            if changed != ("title", None):
                self.changed_in[changed] = version + 1
            self._note(version + 1)

    def _anybody(self):
        return self._chance.choice(sorted(self.present)) if self.present else None

    def _any_message(self, which=lambda message: True):
        found = [message for message in self.messages.values() if which(message) and "deleted_at" not in message]
        return self._chance.choice(found) if found else None

    def _send(self):
        if (name := self._anybody()) is None:
            return None
        message = self._api.send(self.id, name, f"message {len(self.messages)}")
        for member in self.present:
            self.received[member].add(message["id"])
        return "message", message["id"]

    def _edit(self):
        if (message := self._any_message(lambda message: message["sender"] in self.present)) is None:
            return None
        self._api.edit(message["id"], message["sender"], message["content"] + "!").ok
        return "message", message["id"]

    def _erase(self):
        # Rare, so that enough messages can still be changed.
        if (message := self._any_message()) is None or self._chance.random() < 0.7:
            return None
        self._api.erase(message["id"], message["sender"]).ok
        return "message", message["id"]

    def _react(self):
        name, emoji = self._anybody(), self._chance.choice(EMOJIS)
        message = self._any_message(lambda message: name not in reactions(message).get(emoji, []))
        if name is None or message is None:
            return None
        self._api.react(message["id"], name, emoji).ok
        return "message", message["id"]

    def _unreact(self):
        name, emoji = self._anybody(), self._chance.choice(EMOJIS)
        message = self._any_message(lambda message: name in reactions(message).get(emoji, []))
        if message is None:
            return None
        self._api.unreact(message["id"], name, emoji).ok
        return "message", message["id"]

    def come_or_go(self):
        name = self._chance.choice(self.names)
        (self._api.leave if name in self.present else self._api.join)(self.id, name)
        self.present ^= {name}
        return "member", name

    def _retitle(self):
        name = self._anybody()
        if name is None:
            return None
        self._api.retitle(self.id, name, f"title {self.conversation['version']}").ok
        return "title", None

    # -- what a page should hold

    def members_between(self, after, until):
        """In order. Those who share a version are sorted, as on a page after sorted_members()."""
        found = sorted((version, name) for (kind, name), version in self.changed_in.items()
                       if kind == "member" and after < version <= until)
        return [{"username": name, "role": "member", **({} if name in self.present else {"left": True})}
                for _, name in found]

    def messages_between(self, after, until, reader):
        found = sorted((version, key) for (kind, key), version in self.changed_in.items()
                       if kind == "message" and after < version <= until)
        return [self.messages[key] for _, key in found if reader is None or key in self.received[reader]]


@pytest.fixture(scope="module", params=[1, 2])
def history(request, stack):
    with Client(stack) as api:
        made = History(api, request.param)
        for _ in range(STEPS):
            made.step()
        while len(made.present) < 3:
            made.do(made.come_or_go)
        for name in sorted(made.present)[:2]:
            api.read(made.id, name, made.conversation["last_seq"] // 2).ok
        # Two kinds of readers: few were members all the time, most came and went.
        made.readers = [None, *sorted(made.present, key=lambda name: len(made.received[name]))[::2]]
        assert len(made.messages) > 10 and len(made.states) > STEPS // 2
        return made


def first_members_sorted(history, page):
    """The first members share a version, so their order is not promised."""
    first = [member for member in page["members"] if history.changed_in["member", member["username"]] == 1]
    assert page["members"][:len(first)] == first
    return sorted(first, key=lambda member: member["username"]) + page["members"][len(first):]


def assert_page_is_exact(history, page, after, limit, reader):
    until, last = page["version"], history.conversation["version"]
    assert after < until < last if page["has_next"] else until == last
    assert page["messages"] == history.messages_between(after, until, reader)
    assert first_members_sorted(history, page) == history.members_between(after, until)
    count = len(page["messages"]) + len(page["members"])
    assert count <= limit or {history.changed_in["member", member["username"]] for member in page["members"]} == {1}
    if until > after:
        assert page["conversation"] == history.conversation
    else:
        assert "conversation" not in page
    markers = sorted(history.present)[:2]
    assert page["read"] == {name: history.conversation["last_seq"] // 2 for name in markers}


def catch_up(api, history, after, limit, reader):
    """Returns what a client that held version `after` holds in the end."""
    messages, members = history.states[after]
    messages = {key: m for key, m in messages.items() if reader is None or key in history.received[reader]}
    members = set(members)
    more, query = True, {"username": reader} if reader else {}
    while more:
        page = api.changes(history.id, after=after, limit=limit, **query)
        assert_page_is_exact(history, page, after, limit, reader)
        messages.update((message["id"], message) for message in page["messages"])
        for member in page["members"]:
            (members.discard if "left" in member else members.add)(member["username"])
        after, more = page["version"], page["has_next"]
    return messages, members


def assert_present(history, reader, held):
    messages, members = held
    assert members == history.present
    assert messages == {key: message for key, message in history.messages.items()
                        if reader is None or key in history.received[reader]}


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("limit", [7, 1000])
def test_changes_since_every_version_bring_the_present(api, history, which, limit):
    reader = history.readers[min(which, len(history.readers) - 1)]
    for after in history.states:
        assert_present(history, reader, catch_up(api, history, after, limit, reader))


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_small_pages_of_changes_bring_the_present(api, history, which, limit):
    reader = history.readers[min(which, len(history.readers) - 1)]
    for after in [0, 1, *random.Random(limit).sample(sorted(history.states), 4)]:
        assert_present(history, reader, catch_up(api, history, after, limit, reader))


def test_changes_without_a_version_bring_everything(api, history):
    assert api.changes(history.id) == api.changes(history.id, after=0) == api.changes(history.id, limit=100, after="0")


def test_all_pages_have_the_same_epoch(api, history):
    epochs = {api.changes(history.id, after=after, limit=3)["epoch"] for after in (0, 5, 10**6)}
    epochs.add(api.list_page(sorted(history.present)[0])["epoch"])
    (epoch,) = epochs
    assert isinstance(epoch, str) and epoch


def test_changes_since_the_present_are_empty(api, history):
    last = history.conversation["version"]
    for after in (last, last + 1, 2**31, 2**62, 2**63 - 1):
        for reader in history.readers:
            page = api.changes(history.id, after=after, **({"username": reader} if reader else {}))
            assert (page["messages"], page["members"], page["version"], page["has_next"]) == ([], [], last, False)
            assert "conversation" not in page


def test_a_user_who_never_was_a_member_is_refused(api, nothing_changes_after, history):
    gone = sorted(set(history.names) - history.present)
    with nothing_changes_after():
        for name in [*gone, "nobody_at_all"]:
            for after in (0, 5, 2**62):
                refused = api.get(f"/conversations/{history.id}/changes", after=after, username=name)
                refused.problem(403, code="not_a_member")


@pytest.mark.parametrize("limit", [3, 1000])
def test_followers_end_with_the_present_while_others_write(stack, api, limit):
    """Four users write at once. One follower was always a member, another one joins and leaves."""
    writers = [new_name() for _ in range(4)]
    group = api.group(*writers)
    seed = [api.send(group, name, "seed") for name in writers]
    quiet = threading.Event()

    def write(name):
        chance = random.Random(name)
        with Client(stack) as own:
            mine = [message for message in seed if message["sender"] == name]
            for i in range(40):
                chance.choice([lambda: mine.append(own.send(group, name, str(i))),
                               lambda: own.edit(chance.choice(mine)["id"], name, f"edit {i}"),
                               lambda: own.react(chance.choice(seed)["id"], name, chance.choice(EMOJIS)),
                               lambda: own.unreact(chance.choice(seed)["id"], name, chance.choice(EMOJIS)),
                               lambda: own.erase(chance.choice(mine[1:] or mine)["id"], name) if i > 20 else None,
                               lambda: own.retitle(group, name, f"{name} {i}").ok])()

    def write_all():
        try:
            at_once([lambda name=name: write(name) for name in writers])
        finally:
            quiet.set()

    def follow(**query):
        held, version, conversation = {}, 0, None
        with Client(stack) as own:
            while True:
                last_round = quiet.is_set()
                page = own.changes(group, after=version, limit=limit, **query)
                assert page["version"] > version or not page["has_next"] and page["version"] == version
                held.update((message["id"], message) for message in page["messages"])
                conversation, version = page.get("conversation", conversation), page["version"]
                assert conversation["version"] >= version
                if last_round and not page["has_next"]:
                    return held, conversation

    _, *followers = at_once([write_all, follow, lambda: follow(username=writers[0])])
    messages = {message["id"]: message for message in api.seq_page(group, after_seq=0, limit=1000)["messages"]}
    for held, conversation in followers:
        assert held == messages
        assert conversation == api.conversation(group)
