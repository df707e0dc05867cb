"""
An idempotency key belongs to the authenticated caller who used it. A repeat shows the conversation to present
members only.
"""
import pytest


@pytest.fixture
def cast(verified):
    return [verified.person(stem) for stem in ("owner", "bob", "eve")]


def create(person, *others, **more):
    names = [other.name for other in others]
    return person.ask("POST", "/conversations", {"type": "group_chat", "members": names, "client_id": "k", **more})


def test_another_caller_under_the_same_key_creates_their_own(cast):
    owner, bob, _ = cast
    made = create(owner, bob).ok
    other = create(bob, owner)
    assert "Idempotent-Replayed" not in other.headers and other.ok["id"] != made["id"]
    again = create(owner, bob)
    assert again.headers["Idempotent-Replayed"] == "true" and again.ok == made


def test_a_repeat_by_a_creator_who_left_is_refused(cast, verified):
    owner, bob, _ = cast
    made = create(owner, bob).ok
    owner.ask("PUT", f"/conversations/{made['id']}/members/{bob.name}", {"role": "owner"}).ok
    owner.leave(made["id"]).ok
    bob.change(made["id"], title="a secret").ok
    with verified.nothing_changes():
        answer = create(owner, bob)
        answer.problem(403, code="not_a_member")
        assert "Idempotent-Replayed" not in answer.headers and b"secret" not in answer.body


def test_a_repeat_by_a_creator_who_was_removed_is_refused(cast, verified):
    owner, bob, _ = cast
    made = create(owner, bob).ok
    owner.ask("PUT", f"/conversations/{made['id']}/members/{bob.name}", {"role": "owner"}).ok
    bob.remove(made["id"], owner).ok
    bob.change(made["id"], title="a secret").ok
    with verified.nothing_changes():
        answer = create(owner, bob)
        answer.problem(403, code="not_a_member")
        assert b"secret" not in answer.body
    # A creator who returned sees it again.
    bob.add(made["id"], owner).ok
    assert create(owner, bob).ok["title"] == "a secret"
