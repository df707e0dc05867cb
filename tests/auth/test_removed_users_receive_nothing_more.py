"""
From the very next message on, a removed user gets no push, no page and no list entry. They keep what they received
before.
"""
import pytest

from listeners import Audience


@pytest.fixture(params=sorted(Audience.KINDS))
def kind(request):
    return request.param


def test_sockets_of_a_removed_user_receive_nothing_more(site, listen, kind):
    owner, bob, eve = (site.person(stem) for stem in ("owner", "bob", "eve"))
    group = owner.group(bob, eve)
    ears = {person: listen(person, kind) for person in (bob, eve)}
    owner.say(group, "for all").ok
    owner.remove(group, eve).ok
    owner.say(group, "without eve").ok
    bob.say(group, "nor this").ok
    owner.change(group, title="secret").ok
    # A fence: everything pushed to her earlier has arrived.
    fence = eve.group()
    ears[bob].wait_for(group, 5)
    ears[eve].wait(lambda: ears[eve].about(fence), "the fence")
    heard = ears[eve].about(group)
    assert [event["event"] for event in heard] == ["message.created", "member.left"]
    assert heard[0]["message"]["content"] == "for all" and heard[1]["username"] == eve.name
    assert [event["message"]["content"] for event in ears[bob].about(group) if event["event"] == "message.created"] \
        == ["for all", "without eve", "nor this"]


def test_a_removal_ends_pushes_before_the_next_message(site, listen):
    """A user who is removed while others send receives exactly the earlier messages."""
    owner = site.person("owner")
    people = [site.person() for _ in range(8)]
    group = owner.group(*people)
    ears = [listen(person) for person in people]
    for number, person in enumerate(people):
        owner.say(group, str(number)).ok
        owner.remove(group, person).ok
    owner.say(group, "the rest").ok
    for number, (person, ear) in enumerate(zip(people, ears)):
        fence = person.group()
        ear.wait(lambda: ear.about(fence), "the fence")
        heard = [event["message"]["content"] for event in ear.about(group) if event["event"] == "message.created"]
        assert heard == [str(said) for said in range(number + 1)]


def test_pages_and_lists_of_a_removed_user_end(site):
    owner, bob, eve = (site.person(stem) for stem in ("owner", "bob", "eve"))
    group = owner.group(bob, eve)
    owner.say(group, "for all").ok
    since = eve.listed(group)["updated_at"]
    owner.remove(group, eve).ok
    hidden = owner.say(group, "without eve").ok["id"]
    assert [message["content"] for message in eve.received()] == ["for all"]
    assert eve.listed(group) is None
    (entry,) = eve.ask("GET", "/conversations", username=eve.name, updated_after=since).ok["conversations"]
    assert entry["id"] == group and entry["left"] is True and "last_message" not in entry and "title" not in entry
    eve.say(group).problem(403, code="not_a_member")
    eve.ask("GET", f"/conversations/{group}/changes", username=eve.name).problem(403, code="not_a_member")
    if site.verifies:
        for path in (f"/messages?conversation_id={group}", f"/messages?conversation_id={group}&after_seq=0",
                     f"/messages/{hidden}",
                     f"/conversations?id={group}", f"/conversations/{group}/changes",
                     f"/conversations/{group}/presence"):
            eve.ask("GET", path).problem(403, code="not_a_member")


def test_a_user_who_returns_gets_nothing_sent_between_the_stays(site):
    owner, eve = site.person("owner"), site.person("eve")
    group = owner.group(eve)
    owner.say(group, "one").ok
    owner.remove(group, eve).ok
    owner.say(group, "two").ok
    owner.add(group, eve).ok
    owner.say(group, "three").ok
    assert [message["content"] for message in eve.received()] == ["one", "three"]


def test_a_removed_user_is_not_listed_as_present(site, listen):
    owner, eve = site.person("owner"), site.person("eve")
    group = owner.group(eve)
    listen(eve)
    owner.remove(group, eve).ok
    assert eve.name not in owner.ask("GET", f"/conversations/{group}/presence").ok["online"]


def test_a_removed_user_can_only_delete_own_messages(site, listen):
    owner, bob, eve = (site.person(stem) for stem in ("owner", "bob", "eve"))
    group = owner.group(bob, eve)
    mine, owners = eve.say(group, "as they knew it").ok["id"], owner.say(group, "hello").ok["id"]
    version = owner.version(group)
    owner.remove(group, eve).ok
    ear = listen(bob)
    by_eve = {"username": eve.name}
    with site.nothing_changes():
        eve.edit(mine, "what they never read").problem(403, code="not_a_member")
        for message in (mine, owners):
            for method in ("PUT", "DELETE"):
                eve.ask(method, f"/messages/{message}/reactions/x", **by_eve).problem(403, code="not_a_member")
        eve.ask("POST", f"/conversations/{group}/typing", by_eve).problem(403, code="not_a_member")
        eve.ask("PUT", f"/conversations/{group}/read", {**by_eve, "seq": 2}).problem(403, code="not_a_member")
        eve.change(group, title="x").problem(403, code="not_a_member")
        eve.say(group).problem(403, code="not_a_member")
        eve.erase(owners).problem(403, code="not_the_sender")
    assert eve.erase(mine).ok["content"] == ""
    (event,) = ear.wait_for(group, 1)
    assert event["event"] == "message.deleted" and event["message"]["id"] == mine
    assert owner.version(group) == version + 2
