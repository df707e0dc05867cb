"""
A rate limit counts work. A new conversation costs one unit more for each 100 members, charged before it is created.
A change costs one unit more for each 1,000 users who may be listening, charged after it is pushed.
"""
import re

import pytest

from api import Client, new_name
from sites import bearer, jwt_stack
from stack import wait_until
from tokens import Hs256

BURST = 100
CROWD = 3000


@pytest.fixture(scope="module")
def key():
    return Hs256("tests")


def limited(key, *flags):
    return jwt_stack(key, imd_flags=["--user-rate=1", f"--user-burst={BURST}", *flags], env={"LIMITS": "1"})


@pytest.fixture(scope="module")
def stack(key):
    """The stack publishes to all members, so that all of them count as listeners."""
    with limited(key, "--silence=off") as own:
        yield own


def crowd_of(stack, key):
    """A large group and its owner, who was not charged for it."""
    owner = new_name()
    root = Client(stack, bearer(key.token("root", imd_admin=True)))
    members = [owner, *(f"{owner[:10]}_{number}" for number in range(CROWD - 1))]
    made = root.post("/conversations/", {"type": "group_chat", "members": members, "username": owner}).ok
    return made["id"], owner


@pytest.fixture(scope="module")
def crowd(stack, key):
    return crowd_of(stack, key)


def settle(stack, key):
    """Returns when all changes are pushed, and so charged."""
    root = Client(stack, bearer(key.token("root", imd_admin=True)))
    wait_until(lambda: root.get("/healthz").ok["outbox_pending"] == 0, 30, "all changes are pushed")


def left(client):
    """How many requests are granted before the first refusal."""
    for granted in range(BURST * 2):
        answer = client.get("/conversations")
        if answer.status != 200:
            answer.problem(429, code="too_many_requests")
            return granted
    raise AssertionError("no limit")


def near(granted, expected):
    """True if the numbers are nearly equal, because a few units are refilled meanwhile."""
    return expected <= granted <= expected + 15


def test_a_post_costs_one_unit_for_each_1000_listeners(stack, key, crowd):
    group, owner = crowd
    client = Client(stack, bearer(key.token(owner)))
    for _ in range(10):
        client.post("/messages/", {"conversation_id": group, "content": "hear, hear"}).ok
    settle(stack, key)
    assert near(left(client), BURST - 10 * (1 + CROWD // 1000))


def test_a_post_is_charged_once_however_much_others_post(stack, key):
    """Other users' posts fill the relay's batches, so it publishes some posts again."""
    group, owner = crowd_of(stack, key)
    client, other = (Client(stack, bearer(key.token(name))) for name in (owner, new_name()))
    alone = other.post("/conversations/", {"type": "group_chat", "members": []}).ok["id"]
    settle(stack, key)
    stack.relay_stop()
    try:
        for _ in range(5):
            client.post("/messages/", {"conversation_id": group, "content": "hear, hear"}).ok
            for _ in range(17):
                other.post("/messages/", {"conversation_id": alone, "content": "x" * 65000}).ok
    finally:
        stack.relay_continue()
    settle(stack, key)
    assert near(left(client), BURST - 5 * (1 + CROWD // 1000))


def test_the_debt_of_posts_is_at_most_one_burst(stack, key):
    group, owner = crowd_of(stack, key)
    client = Client(stack, bearer(key.token(owner)))
    posts = 0
    while client.post("/messages/", {"conversation_id": group, "content": "on and on"}).status == 200:
        posts += 1
    assert BURST // 4 <= posts <= BURST + 15
    settle(stack, key)
    refused = client.get("/conversations")
    refused.problem(429, code="too_many_requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= BURST + 1


def test_posts_without_listeners_cost_one_unit(key):
    with limited(key) as stack:
        group, owner = crowd_of(stack, key)
        root = Client(stack, bearer(key.token("root", imd_admin=True)))
        post = {"conversation_id": group, "content": "is anybody there?", "username": owner}

        def silent():
            root.post("/messages/", post).ok
            return int(re.search(rb"^imd_silent_names (\d+)", root.get("/metrics").body, re.M)[1]) >= CROWD

        wait_until(silent, 60, "nchan has answered that no member listens")
        settle(stack, key)
        client = Client(stack, bearer(key.token(owner)))
        for _ in range(20):
            client.post("/messages/", post).ok
        settle(stack, key)
        assert near(left(client), BURST - 20)


def test_small_and_refused_changes_cost_one_unit(stack, key, crowd):
    client = Client(stack, bearer(key.token(new_name())))
    small = client.post("/conversations/", {"type": "group_chat", "members": [new_name()]}).ok["id"]
    for number in range(10):
        client.post("/messages/", {"conversation_id": small, "content": f"{number}"}).ok
        assert client.post("/messages/", {"conversation_id": crowd[0], "content": "let me in"}).status == 403
    settle(stack, key)
    assert near(left(client), BURST - 21)


def test_administrators_are_not_charged(stack, key, crowd):
    root = Client(stack, bearer(key.token("root", imd_admin=True)))
    for _ in range(60):
        root.post("/messages/", {"conversation_id": crowd[0], "username": crowd[1], "content": "news"}).ok
    settle(stack, key)
    for _ in range(BURST + 20):
        root.get("/conversations?username=" + crowd[1]).ok


def create(client, count, **more):
    members = [f"n{number}" for number in range(count - 1)]
    return client.post("/conversations/", {"type": "group_chat", "members": members, **more})


def test_a_creation_costs_one_unit_for_each_100_members(stack, key):
    client = Client(stack, bearer(key.token(new_name())))
    create(client, 3000, client_id="k").ok
    # Neither a repeat nor a refused creation creates members.
    assert create(client, 3000, client_id="k").headers["Idempotent-Replayed"] == "true"
    assert create(client, 3000, client_id="k", title="other").status == 422
    settle(stack, key)
    # All but one of its members receive it.
    assert near(left(client), BURST - 30 - 3 - 3)


def test_a_creation_beyond_the_rate_limit_is_refused_and_creates_nothing(stack, key):
    name = new_name()
    client = Client(stack, bearer(key.token(name)))
    for _ in range(6):
        create(client, 1000).ok
    refused = create(client, 9000)
    refused.problem(429, code="too_many_requests")
    assert int(refused.headers["Retry-After"]) > 1
    assert len(client.get("/conversations?limit=100").ok["conversations"]) == 6


def test_a_full_burst_allows_the_largest_group(stack, key):
    client = Client(stack, bearer(key.token(new_name())))
    # It costs three quarters of a burst at most, so a caller who has just made some requests can
    # make it, too.
    for _ in range(BURST // 5):
        client.get("/conversations").ok
    create(client, 20000).ok
    assert left(client) <= BURST // 5


def test_a_post_into_a_very_large_group_costs_more_even_without_listeners(key):
    with limited(key) as stack:
        root = Client(stack, bearer(key.token("root", imd_admin=True)))
        owner = new_name()
        members = [owner, *(f"{owner[:10]}_{number}" for number in range(9999))]
        made = root.post("/conversations/", {"type": "group_chat", "members": members, "username": owner}).ok
        post = {"conversation_id": made["id"], "content": "is anybody there?", "username": owner}

        def silent():
            root.post("/messages/", post).ok
            return int(re.search(rb"^imd_silent_names (\d+)", root.get("/metrics").body, re.M)[1]) >= 9500

        wait_until(silent, 90, "nchan has answered that few members listen")
        settle(stack, key)
        client = Client(stack, bearer(key.token(owner)))
        for _ in range(10):
            client.post("/messages/", post).ok
            settle(stack, key)
        assert near(left(client), BURST - 10 * (1 + 2))
