"""Whoever left or was removed reads what they received as it was then, or less; whoever joins again reads it as it is."""
import pytest

SECRET = "only for those who are still here"


@pytest.fixture(params=["left", "removed"])
def former(request, site):
    """The owner, somebody who has just gone, and what was said while they were there: by each, with a reaction."""
    owner, eve = site.person("owner"), site.person("eve")
    group = owner.group(eve)
    owners = owner.say(group, "from owner").ok["id"]
    body = {"conversation_id": group, "username": eve.name, "content": "from eve", "client_id": "once"}
    eves = eve.ask("POST", "/messages", body).ok["id"]
    for message in (owners, eves):
        owner.ask("PUT", f"/messages/{message}/reactions/x", username=owner.name).ok
    before = eve.received()
    if request.param == "left":
        eve.leave(group).ok
    else:
        owner.remove(group, eve).ok
    return owner, eve, group, owners, eves, body, before


def without_reactions(message):
    return {name: value for name, value in message.items() if name != "reactions"}


def withheld(message):
    return {**without_reactions(message), "content": "", "withheld": True}


def test_nothing_changes_by_the_leaving_itself(former):
    _, eve, _, _, _, _, before = former
    assert eve.received() == before
    assert all("reactions" in message and "withheld" not in message for message in before)


def test_later_edits_are_withheld_from_pages(former):
    owner, eve, _, owners, _, _, before = former
    owner.edit(owners, SECRET).ok
    assert eve.received() == [withheld(before[0]), before[1]]


def test_later_reactions_are_left_out_of_pages(former):
    owner, eve, _, owners, _, _, before = former
    owner.ask("PUT", f"/messages/{owners}/reactions/{SECRET.split()[0]}", username=owner.name).ok
    assert eve.received() == [without_reactions(before[0]), before[1]]


def test_later_deletions_show(former):
    owner, eve, _, owners, _, _, before = former
    owner.edit(owners, SECRET).ok
    stub = owner.erase(owners).ok
    assert eve.received() == [stub, before[1]]


def test_an_earlier_edit_shows(site):
    owner, eve = site.person("owner"), site.person("eve")
    group = owner.group(eve)
    message = owner.say(group, "one").ok["id"]
    edited = owner.edit(message, "two").ok
    owner.remove(group, eve).ok
    assert eve.received() == [edited]


def test_administrators_who_ask_in_their_name_see_as_little(verified):
    owner, eve = verified.person("owner"), verified.person("eve")
    group = owner.group(eve)
    message = owner.say(group, "one").ok["id"]
    owner.remove(group, eve).ok
    owner.edit(message, SECRET).ok
    admin = verified.admin()
    (seen,) = admin.ask("GET", "/messages", username=eve.name).ok["messages"]
    assert seen["withheld"] is True and SECRET not in str(seen)
    # By their own authority they read all of it.
    (seen,) = admin.ask("GET", "/messages", conversation_id=group).ok["messages"]
    assert seen["content"] == SECRET


def test_a_repeated_send_is_replayed_as_its_sender_may_see_it(former):
    owner, eve, _, _, eves, body, before = former
    replayed = eve.ask("POST", "/messages", body)
    assert replayed.headers["Idempotent-Replayed"] == "true" and replayed.ok == before[1]
    owner.ask("PUT", f"/messages/{eves}/reactions/later", username=owner.name).ok
    replayed = eve.ask("POST", "/messages", body)
    assert replayed.headers["Idempotent-Replayed"] == "true" and replayed.ok == without_reactions(before[1])
    # The same key with another content is no repeat; a new key is a new message, which they may not send.
    eve.ask("POST", "/messages", {**body, "content": "other"}).problem(422, code="idempotency_mismatch")
    eve.ask("POST", "/messages", {**body, "client_id": "twice"}).problem(403, code="not_a_member")


def test_their_own_deletion_is_answered_without_what_came_later(former):
    owner, eve, _, _, eves, _, _ = former
    owner.ask("PUT", f"/messages/{eves}/reactions/later", username=owner.name).ok
    stub = eve.erase(eves).ok
    assert stub["content"] == "" and "reactions" not in stub and eve.erase(eves).ok == stub


def test_whoever_joins_again_sees_the_present_state_until_they_leave_again(former):
    owner, eve, group, owners, _, _, before = former
    shown = owner.edit(owners, "edited").ok
    assert eve.received()[0] == withheld(before[0])
    owner.add(group, eve).ok
    assert eve.received()[0]["content"] == shown["content"]
    eve.leave(group).ok
    assert eve.received()[0]["content"] == shown["content"]
    owner.edit(owners, SECRET).ok
    assert eve.received()[0] == withheld(before[0])
