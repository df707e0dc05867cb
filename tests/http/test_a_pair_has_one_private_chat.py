import threading

import pytest

from api import Client, at_once, new_name


def test_either_order_of_the_pair_gets_the_same_chat(api):
    alice, bob, carol = new_name(), new_name(), new_name()
    first = api.create("private_chat", alice, bob)
    assert api.create("private_chat", alice, bob) == first
    assert api.create("private_chat", bob, alice) == first
    assert api.private(alice, carol) != first["id"] != api.private(carol, bob)
    assert api.group(alice, bob) != first["id"]


def test_creating_the_chat_again_returns_its_present_state(api, nothing_changes_after):
    alice, bob = new_name(), new_name()
    conversation = api.private(alice, bob)
    message = api.send(conversation, bob)
    with nothing_changes_after():
        again = api.create("private_chat", bob, alice)
    assert (again["id"], again["last_seq"], again["version"]) == (conversation, 1, 2)
    assert again["updated_at"] == message["timestamp"]


def test_names_that_differ_by_case_are_different_users(api):
    n = new_name("")
    first = api.private(f"bob{n}", f"alice{n}")
    assert api.private(f"Bob{n}", f"alice{n}") != first
    assert api.create("private_chat", f"bob{n}", f"BOB{n}")["members"] == [f"BOB{n}", f"bob{n}"]


@pytest.mark.parametrize("known", [False, True], ids=["new_users", "known_users"])
def test_twelve_concurrent_creations_get_the_same_chat(stack, api, known):
    for _ in range(5):
        pair = [new_name(), new_name()]
        if known:
            api.group(*pair)
        start = threading.Barrier(12)

        def create(members):
            with Client(stack) as own:
                own.get("/healthz").ok  # connect before the race starts
                start.wait()
                return own.create("private_chat", *members)

        made = at_once([lambda members=members: create(members) for members in [pair, pair[::-1]] * 6])
        assert all(conversation == made[0] for conversation in made)
        assert made[0]["members"] == sorted(pair)


def test_of_twelve_concurrent_joins_or_leaves_one_changes_something(stack, api):
    """The others succeed and change nothing."""
    alice, bob = new_name(), new_name()
    group = api.group(alice)
    api.group(bob)
    for action, members, version in (("join", [alice, bob], 2), ("leave", [alice], 3)):
        start = threading.Barrier(12)

        def act():
            with Client(stack) as own:
                own.get("/healthz").ok
                start.wait()
                return own.post(f"/conversations/{group}/{action}", {"username": bob}).ok

        assert at_once([act] * 12) == [{"result": "success"}] * 12
        found = api.conversation(group)
        assert (found["members"], found["version"]) == (members, version)
