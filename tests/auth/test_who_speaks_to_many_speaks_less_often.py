"""A rate is of work: a change costs one more for each 1,000 users whom it concerns, a creation for each 100 members."""
import pytest

from api import Client, new_name
from sites import bearer, jwt_stack
from tokens import Hs256

BURST = 100
CROWD = 3000


@pytest.fixture(scope="module")
def key():
    return Hs256("tests")


@pytest.fixture(scope="module")
def stack(key):
    with jwt_stack(key, imd_flags=["--user-rate=1", f"--user-burst={BURST}"], env={"LIMITS": "1"}) as own:
        yield own


@pytest.fixture(scope="module")
def crowd(stack, key):
    """A group of many, and its owner who has paid nothing for it."""
    owner = new_name()
    root = Client(stack, bearer(key.token("root", imd_admin=True)))
    members = [owner, *(f"{owner[:10]}_{number}" for number in range(CROWD - 1))]
    made = root.post("/conversations/", {"type": "group_chat", "members": members, "username": owner}).ok
    return made["id"], owner


def left(client):
    """How many requests are granted before the first refusal."""
    for granted in range(BURST * 2):
        answer = client.get("/conversations")
        if answer.status != 200:
            answer.problem(429, code="too_many_requests")
            return granted
    raise AssertionError("no limit")


def near(granted, expected):
    """A little comes back meanwhile."""
    return expected <= granted <= expected + 15


def test_a_post_costs_by_its_listeners(stack, key, crowd):
    group, owner = crowd
    client = Client(stack, bearer(key.token(owner)))
    for _ in range(10):
        client.post("/messages/", {"conversation_id": group, "content": "hear, hear"}).ok
    assert near(left(client), BURST - 10 * (1 + CROWD // 1000))


def test_what_changes_nothing_and_what_is_small_costs_one(stack, key, crowd):
    client = Client(stack, bearer(key.token(new_name())))
    small = client.post("/conversations/", {"type": "group_chat", "members": [new_name()]}).ok["id"]
    for number in range(10):
        client.post("/messages/", {"conversation_id": small, "content": f"{number}"}).ok
        assert client.post("/messages/", {"conversation_id": crowd[0], "content": "let me in"}).status == 403
    assert near(left(client), BURST - 21)


def test_a_creation_costs_by_its_members(stack, key):
    client = Client(stack, bearer(key.token(new_name())))
    members = [f"n{number}" for number in range(2999)]
    client.post("/conversations/", {"type": "group_chat", "members": members, "client_id": "k"}).ok
    # Its repeat makes no work.
    client.post("/conversations/", {"type": "group_chat", "members": members, "client_id": "k"}).ok
    assert near(left(client), BURST - 30 - 2)
