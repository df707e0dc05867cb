import threading
from urllib.parse import urlencode

import pytest

from api import Client, at_once, new_name, plain, reactions


@pytest.fixture
def sent(api, group, alice):
    return api.send(group, alice)


def test_reactions_are_shown_with_the_message(api, group, sent, alice, bob):
    before = api.conversation(group)
    liked = api.react(sent["id"], bob, "👍").json
    assert liked == {**sent, "reactions": {"👍": {"count": 1, "mine": True, "names": [bob]}}}
    liked = plain(liked)
    assert liked == {**sent, "reactions": {"👍": [bob]}}
    after = api.conversation(group)
    assert after == {**before, "version": before["version"] + 1, "updated_at": after["updated_at"]}
    assert after["updated_at"] > sent["timestamp"]
    assert plain(api.message(sent["id"])) == liked
    assert [plain(message) for message in api.page(conversation_id=group)["messages"]] == [liked]
    assert [plain(message) for message in api.page(username=alice)["messages"]] == [liked]
    assert [plain(message) for message in api.seq_page(group, around_seq=1)["messages"]] == [liked]
    assert [plain(message) for message in api.changes(group)["messages"]] == [liked]
    assert plain(api.listed(bob, group)["last_message"]) == liked


def test_emojis_and_names_are_in_byte_order(api):
    n = new_name("")
    names = [f"b{n}", f"_{n}", f"B{n}", f"1{n}", f"a{n}", f"A{n}"]
    emojis = ["👍", "+1", "❤️", "é", "~", "a", "👍🏽", "Z"]
    sent = api.send(api.group(*names), names[0])
    for name in names:
        for emoji in emojis if name == names[0] else emojis[:3]:
            message = api.react(sent["id"], name, emoji).ok
    ordered = sorted(names, key=str.encode)
    assert list(message["reactions"]) == sorted(emojis, key=str.encode)
    assert {emoji: who for emoji, who in reactions(message).items() if len(who) > 1} == \
        {emoji: ordered for emoji in emojis[:3]}
    assert plain(api.message(sent["id"])) == plain(message)
    assert list(api.message(sent["id"])["reactions"]) == list(message["reactions"])


def test_a_reaction_can_be_removed(api, group, sent, alice, bob):
    for name in (alice, bob):
        api.react(sent["id"], name, "👍").ok
    before = api.conversation(group)
    assert plain(api.unreact(sent["id"], alice, "👍").ok) == {**sent, "reactions": {"👍": [bob]}}
    assert api.unreact(sent["id"], bob, "👍").ok == sent
    after = api.conversation(group)
    assert after == {**before, "version": before["version"] + 2, "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]


def test_an_edit_keeps_reactions(api, sent, alice, bob):
    api.react(sent["id"], bob, "👍").ok
    edited = api.edit(sent["id"], alice, "edited").ok
    assert reactions(edited) == {"👍": [bob]}
    assert api.unreact(sent["id"], bob, "👍").ok["edited_at"] == edited["edited_at"]


def test_reactions_of_former_members_remain(api, nothing_changes_after, group, sent, bob):
    liked = api.react(sent["id"], bob, "👍").ok
    api.leave(group, bob)
    assert plain(api.message(sent["id"])) == plain(liked)
    with nothing_changes_after():
        api.unreact(sent["id"], bob, "👍").problem(403, code="not_a_member")
    api.join(group, bob)
    assert api.unreact(sent["id"], bob, "👍").ok == sent


def test_a_reaction_to_a_message_before_the_stay_is_accepted(api, group, sent):
    carol = new_name("c")
    api.group(carol)
    api.join(group, carol)
    assert reactions(api.react(sent["id"], carol, "👍").ok) == {"👍": [carol]}


def test_adding_and_removing_are_idempotent(api, nothing_changes_after, sent, alice, bob):
    with nothing_changes_after():
        assert api.unreact(sent["id"], bob, "👍").ok == sent
    liked = api.react(sent["id"], bob, "👍").ok
    with nothing_changes_after():
        assert api.react(sent["id"], bob, "👍").ok == liked
        assert plain(api.unreact(sent["id"], alice, "👍").ok) == plain(liked)
        assert api.unreact(sent["id"], bob, "👎").ok == liked


def test_a_reaction_to_a_deleted_message_is_refused(api, nothing_changes_after, sent, alice, bob):
    api.react(sent["id"], bob, "👍").ok
    stub = api.erase(sent["id"], alice).ok
    assert "reactions" not in stub
    with nothing_changes_after():
        for emoji in ("👍", "👎"):
            api.react(sent["id"], bob, emoji).problem(409, code="message_deleted")
            assert api.unreact(sent["id"], bob, emoji).ok == stub


@pytest.mark.parametrize("deleted", [False, True], ids=["", "deleted"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_reaction_of_a_stranger_is_refused(api, nothing_changes_after, group, sent, alice, bob, method, deleted):
    stranger = new_name()
    api.group(stranger)
    api.leave(group, bob)
    if deleted:
        api.erase(sent["id"], alice).ok
    with nothing_changes_after():
        for name in (stranger, bob, "nobody_at_all", alice.upper()):
            api.react(sent["id"], name, "👍", method).problem(403, code="not_a_member")


def test_both_members_of_a_private_chat_can_react(api, alice, bob):
    sent = api.send(api.private(alice, bob), alice)
    for name in (alice, bob):
        message = api.react(sent["id"], name, "👍").ok
    assert reactions(message) == {"👍": [alice, bob]}


def test_a_33rd_emoji_is_refused(api, nothing_changes_after, sent, alice, bob):
    emojis = [chr(0x1f600 + i) for i in range(33)]
    for emoji in emojis[:32]:
        message = api.react(sent["id"], alice, emoji).ok
    assert reactions(message) == {emoji: [alice] for emoji in emojis[:32]}
    with nothing_changes_after():
        for name in (alice, bob):
            api.react(sent["id"], name, emojis[32]).problem(422, code="too_many_reactions")
        assert api.react(sent["id"], alice, emojis[31]).ok == message
        assert api.unreact(sent["id"], alice, emojis[32]).ok == message
    assert reactions(api.react(sent["id"], bob, emojis[5]).ok)[emojis[5]] == [alice, bob]
    # Removing one of two users frees no emoji; removing the other one does.
    api.unreact(sent["id"], alice, emojis[5]).ok
    with nothing_changes_after():
        api.react(sent["id"], bob, emojis[32]).problem(422, code="too_many_reactions")
    api.unreact(sent["id"], bob, emojis[5]).ok
    assert len(api.react(sent["id"], bob, emojis[32]).ok["reactions"]) == 32


def test_each_message_has_its_own_reactions(api, group, sent, alice):
    other = api.send(group, alice)
    api.react(sent["id"], alice, "👍").ok
    assert api.message(other["id"]) == other


@pytest.mark.parametrize("method, count", [("PUT", 1), ("DELETE", 1), ("PUT", 12)])
def test_concurrent_reactions_count_one_change_each(stack, api, method, count):
    """Twelve reactions of one user are one change; one of each of twelve users are twelve."""
    names = [new_name() for _ in range(count)]
    group = api.group(*names)
    sent = api.send(group, names[0])
    if method == "DELETE":
        api.react(sent["id"], names[0], "👍").ok
    version = api.conversation(group)["version"]
    start = threading.Barrier(12)

    def react(name):
        with Client(stack) as own:
            own.get("/healthz").ok  # connect before the race starts
            start.wait()
            return own.react(sent["id"], name, "👍", method).ok

    at_once([lambda name=name: react(name) for name in names * (12 // count)])
    assert api.conversation(group)["version"] == version + count
    assert reactions(api.message(sent["id"])) == ({"👍": sorted(names)} if method == "PUT" else {})


def test_the_first_hundred_names_are_shown_and_all_are_counted(api):
    names = sorted(new_name() for _ in range(150))
    sent = api.send(api.group(*names), names[0])
    for name in names:
        message = api.react(sent["id"], name, "👍").json
    assert message["reactions"] == {"👍": {"count": 150, "mine": True, "names": names[:100]}}
    # `mine` is right for users beyond the first hundred too.
    assert api.unreact(sent["id"], names[149], "👍").json["reactions"]["👍"] == \
        {"count": 149, "mine": False, "names": names[:100]}
    # The other names are read page by page.
    found, has_next = [], True
    while has_next:
        page = api.get(f"/messages/{sent['id']}/reactions", emoji="👍", limit=40, after=found[-1] if found else "").ok
        assert page["emoji"] == "👍" and page["count"] == 149 and len(page["names"]) <= 40
        found, has_next = found + page["names"], page["has_next"]
    assert found == names[:149]


def test_mine_depends_on_the_viewer(api, group, sent, alice, bob):
    api.react(sent["id"], bob, "👍").ok

    def mine(method="GET", path="/messages", **query):
        found = api.request(method, f"{path}?{urlencode(query)}").json
        found = found.get("messages", found.get("conversations", [found]))[-1]
        return found.get("last_message", found)["reactions"]["👍"].get("mine")

    for name in (alice, bob):
        assert mine(username=name) == mine(path="/conversations", username=name) == (name == bob)
        assert mine(path=f"/conversations/{group}/changes", username=name) == (name == bob)
        assert mine("DELETE", f"/messages/{sent['id']}/reactions/x", username=name) == (name == bob)
    # There is no viewer.
    assert mine(path=f"/messages/{sent['id']}") is mine(conversation_id=group) is None
    assert mine(path=f"/conversations/{group}/changes") is None


def test_a_page_of_names_is_of_one_emoji(api, sent, alice, bob):
    path = f"/messages/{sent['id']}/reactions"
    for emoji, name in (("👍", alice), ("👍", bob), ("👎", bob)):
        api.react(sent["id"], name, emoji).ok
    assert api.get(path, emoji="👎").ok == {"emoji": "👎", "count": 1, "names": [bob], "has_next": False}
    assert api.get(path, emoji="👍", limit=1).ok == {"emoji": "👍", "count": 2, "names": [min(alice, bob)], "has_next": True}
    assert api.get(path, emoji="🙂").ok == {"emoji": "🙂", "count": 0, "names": [], "has_next": False}


def test_a_page_of_names_is_refused_with_the_faulty_field(api, sent):
    path = f"/messages/{sent['id']}/reactions"
    api.get(path).problem(400, code="invalid_emoji", field="emoji")
    api.get(path, emoji="").problem(400, code="invalid_emoji", field="emoji")
    api.get(path, emoji="a b").problem(400, code="invalid_emoji", field="emoji")
    api.get(path, emoji="👍", after="no name").problem(400, code="invalid_after", field="after")
    api.get(path, emoji="👍", limit=0).problem(400, code="invalid_limit", field="limit")
    api.get("/messages/999999/reactions", emoji="👍").problem(404, code="invalid_message_id")


@pytest.mark.parametrize("one, other", [("👍", "👍\ufe0f"), ("❤", "❤\ufe0f"), ("❤\ufe0f", "❤\ufe0e"), ("1\u20e3", "1\ufe0f\u20e3"),
                                        ("🏳\ufe0f\u200d🌈", "🏳\u200d🌈")], ids=ascii)
def test_spellings_of_one_emoji_are_one_reaction(api, nothing_changes_after, sent, alice, bob, one, other):
    first = api.react(sent["id"], alice, one).ok
    with nothing_changes_after():
        assert api.react(sent["id"], alice, other).ok == first
    message = api.react(sent["id"], bob, other).ok
    [(shown, who)] = reactions(message).items()
    assert who == sorted([alice, bob])
    # It is shown in one spelling, which is accepted too.
    assert shown == list(first["reactions"])[0] == api.get(f"/messages/{sent['id']}/reactions", emoji=one).ok["emoji"]
    api.unreact(sent["id"], alice, shown).ok
    assert api.unreact(sent["id"], bob, one).ok == sent


def test_a_cleared_emoji_is_gone_for_everybody(api, group, sent, alice, bob):
    for emoji in ("👍", "👎"):
        for name in (alice, bob):
            api.react(sent["id"], name, emoji).ok
    version = api.conversation(group)["version"]
    cleared = api.request("DELETE", f"/messages/{sent['id']}/reactions/%F0%9F%91%8D?username={alice}&all=true").ok
    assert reactions(cleared) == {"👎": sorted([alice, bob])}
    assert api.conversation(group)["version"] == version + 1
    # It can be used again.
    assert reactions(api.react(sent["id"], bob, "👍").ok)["👍"] == [bob]


def test_clearing_requires_the_right_to_delete(api, nothing_changes_after, group, sent, alice, bob):
    path = f"/messages/{sent['id']}/reactions/%F0%9F%91%8D"
    liked = api.react(sent["id"], bob, "👍").ok
    with nothing_changes_after():
        api.request("DELETE", f"{path}?username={bob}&all=true").problem(403, code="not_the_sender")
        api.request("DELETE", f"{path}?username={alice}&all=1").problem(400, code="invalid_all", field="all")
        api.request("DELETE", f"/messages/{sent['id']}/reactions/x?username={alice}&all=true").ok
    api.leave(group, alice)
    with nothing_changes_after():
        api.request("DELETE", f"{path}?username={alice}&all=true").problem(403, code="not_a_member")
    assert plain(api.message(sent["id"])) == plain(liked)


def test_a_group_admin_can_clear_reactions_of_others(api):
    owner, bob = new_name("owner"), new_name("bob")
    group = api.write("POST", "/conversations/", {"type": "group_chat", "members": [bob], "username": owner}).ok["id"]
    sent = api.send(group, bob)
    api.react(sent["id"], bob, "👎").ok
    assert api.request("DELETE", f"/messages/{sent['id']}/reactions/%F0%9F%91%8E?username={owner}&all=true").ok == sent
