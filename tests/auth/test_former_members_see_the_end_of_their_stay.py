"""
A former member keeps what they received, as it was when they left, or less. Content that was edited later is
withheld, and later reactions are not shown. Deletions always show. This holds for every read, for the repeat of a send,
for an administrator who asks in their name, and for pushes that lag.
"""
import pytest

from sites import open_none

THUMB = "%F0%9F%91%8D"


@pytest.fixture(params=["leaves", "is removed"])
def cast(site, request):
    """(owner, bob, group, go): go() ends bob's stay."""
    owner, bob = site.person("owner"), site.person("bob")
    group = owner.group(bob)

    def go():
        (bob.leave(group) if request.param == "leaves" else owner.remove(group, bob)).ok

    return owner, bob, group, go


def seen(person, message):
    [found] = [each for each in person.received() if each["id"] == message["id"]]
    return found


def react(person, message):
    return person.ask("PUT", f"/messages/{message['id']}/reactions/{THUMB}", username=person.name).ok


def test_a_later_edit_is_withheld(cast):
    owner, bob, group, go = cast
    sent = [owner.say(group, f"word {number}").ok for number in range(3)]
    owner.edit(sent[1]["id"], "edited before").ok
    go()
    before = bob.received()
    owner.edit(sent[2]["id"], "edited after").ok
    assert seen(bob, sent[2]) == {**sent[2], "content": "", "withheld": True}
    assert [each for each in bob.received() if each["id"] != sent[2]["id"]] == before[:2]
    assert before[1]["content"] == "edited before"
    # Of a message edited before and after, the last edit counts.
    owner.edit(sent[1]["id"], "edited again").ok
    assert seen(bob, sent[1])["content"] == "" and seen(bob, sent[1])["withheld"] is True


def test_a_later_reaction_is_not_shown(cast):
    owner, bob, group, go = cast
    quiet, loud = owner.say(group).ok, owner.say(group).ok
    react(bob, loud)
    go()
    assert seen(bob, loud)["reactions"]
    react(owner, quiet)
    react(owner, loud)
    assert seen(bob, quiet) == quiet and seen(bob, loud) == loud


def test_a_later_deletion_is_shown(cast):
    owner, bob, group, go = cast
    sent = owner.say(group, "secret").ok
    go()
    owner.edit(sent["id"], "more secret").ok
    stub = owner.erase(sent["id"]).ok
    assert seen(bob, sent) == stub


def test_a_member_who_returned_sees_the_present(cast):
    owner, bob, group, go = cast
    sent = owner.say(group).ok
    go()
    edited = owner.edit(sent["id"], "edited").ok
    owner.add(group, bob).ok
    assert seen(bob, sent) == edited


def test_the_last_stay_decides(cast):
    owner, bob, group, go = cast
    sent = owner.say(group).ok
    go()
    edited = owner.edit(sent["id"], "edited").ok
    owner.add(group, bob).ok
    bob.leave(group).ok
    assert seen(bob, sent) == edited
    owner.edit(sent["id"], "edited again").ok
    assert seen(bob, sent) == {**sent, "content": "", "withheld": True}


def test_the_answer_to_their_own_deletion_shows_nothing_later(cast):
    owner, bob, group, go = cast
    sent = bob.say(group).ok
    go()
    react(owner, sent)
    stub = bob.erase(sent["id"]).ok
    assert stub["content"] == "" and "reactions" not in stub and bob.erase(sent["id"]).ok == stub


def test_a_single_message_is_shown_as_to_the_named_user():
    """In mode none, the name in the query determines the viewer."""
    with open_none() as none:
        owner, bob = none.person("owner"), none.person("bob")
        group = owner.group(bob)
        sent = owner.say(group).ok
        path = f"/messages/{sent['id']}"
        react(bob, sent)
        assert [owner.ask("GET", path, username=who.name).json["reactions"]["👍"]["mine"] for who in (owner, bob)] \
            == [False, True]
        bob.leave(group).ok
        owner.edit(sent["id"], "edited").ok
        assert bob.ask("GET", path, username=bob.name).ok == {**sent, "content": "", "withheld": True}
        assert owner.ask("GET", path, username=owner.name).ok["content"] == "edited"
        bob.ask("GET", path, username="no name").problem(400, code="invalid_username", field="username")


def test_a_repeated_send_shows_nothing_later(cast):
    owner, bob, group, go = cast
    message = {"conversation_id": group, "username": bob.name, "content": "mine", "client_id": "k"}
    sent = bob.ask("POST", "/messages", message).ok
    go()
    react(owner, sent)
    answer = bob.ask("POST", "/messages", message)
    assert answer.ok == sent and answer.headers["Idempotent-Replayed"] == "true"
    # The same key with another content is no repeat; a new key is a new message, which they may not
    # send.
    bob.ask("POST", "/messages", {**message, "content": "other"}).problem(422, code="idempotency_mismatch")
    bob.ask("POST", "/messages", {**message, "client_id": "l"}).problem(403, code="not_a_member")


def test_an_administrator_in_their_name_sees_no_more(verified):
    owner, bob, admin = verified.person("owner"), verified.person("bob"), verified.admin()
    group = owner.group(bob)
    sent = owner.say(group).ok
    bob.leave(group).ok
    owner.edit(sent["id"], "edited").ok
    [found] = admin.ask("GET", "/messages", username=bob.name).ok["messages"]
    assert found["content"] == "" and found["withheld"] is True
    # By their own authority, administrators read everything.
    [found] = admin.ask("GET", "/messages", conversation_id=group).ok["messages"]
    assert found["content"] == "edited"


def test_lagging_pushes_show_them_nothing_later(site, cast, listen):
    """While the relay hangs, changes wait. When they are pushed, their messages have changed."""
    owner, bob, group, go = cast
    ears = {who: listen(who) for who in (owner, bob)}
    site.stack.relay_stop()
    try:
        sent = owner.say(group, "said").ok
        owner.change(group, title="told").ok
        go()
        owner.edit(sent["id"], "secret edit").ok
        owner.change(group, title="secret title").ok
    finally:
        site.stack.relay_continue()
    versions = [2, 3, 4]
    for who, ear in ears.items():
        ear.wait(lambda: len(ear.about(group)) >= len(versions) + 2 * (who is owner), "all changes are pushed")
    events = ears[bob].about(group)
    assert [event["version"] for event in events] == versions
    assert "secret" not in str(ears[bob].frames)
    # Present members receive everything.
    assert ears[owner].about(group)[0]["message"]["content"] == "secret edit"
    assert "message" not in events[0] and "object" not in events[1]


def test_lagging_pushes_show_them_no_later_role(site, listen):
    owner, bob, carol = site.person("owner"), site.person("bob"), site.person("carol")
    group = owner.group(bob, carol)
    site.settle()
    ears = {who: listen(who) for who in (owner, bob)}
    site.stack.relay_stop()
    try:
        owner.add(group, carol, role="admin").ok
        bob.leave(group).ok
        owner.add(group, carol, role="owner").ok
    finally:
        site.stack.relay_continue()
    ears[owner].wait(lambda: len(ears[owner].about(group)) >= 4, "all changes are pushed")
    ears[bob].wait(lambda: len(ears[bob].about(group)) >= 2, "all events for him are pushed")
    changed, left = ears[bob].about(group)
    assert changed == {"event": "conversation.updated", "conversation": group, "version": 2}
    assert left == {"event": "member.left", "conversation": group, "version": 3, "username": bob.name}
    assert ears[owner].about(group)[0]["role"] == "owner"
