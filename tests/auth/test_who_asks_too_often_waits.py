"""Each verified caller has a bucket of their own, which fills again; administrators have none."""
import time

import pytest

from api import Client
from handshake import UPGRADE, request
from sites import bearer, jwt_stack
from stack import Stack, wait_until
from tokens import Hs256

RATE, BURST = 5, 12


@pytest.fixture
def key():
    return Hs256("tests")


@pytest.fixture
def stack(key):
    with jwt_stack(key, imd_flags=[f"--user-rate={RATE}", f"--user-burst={BURST}"], env={"LIMITS": "1"}) as own:
        yield own


def person(stack, key, name, **claims):
    return Client(stack, bearer(key.token(name, **claims)))


def assert_too_many(answer):
    answer.problem(429, code="too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60, answer


def exhaust(client):
    """How many were granted before the first refusal."""
    for granted in range(10 * BURST):
        answer = client.get("/conversations")
        if answer.status != 200:
            assert_too_many(answer)
            return granted
    raise AssertionError("no limit")


def test_burst_and_rate(stack, key):
    with person(stack, key, "ann") as ann:
        began = time.monotonic()
        granted = exhaust(ann)
        taken = time.monotonic() - began
        # Two workers count together.
        assert BURST <= granted <= BURST + RATE * taken + 1
        # What is refused is not counted against them: the bucket fills while they knock.
        began, more = time.monotonic(), 0
        wait_until(lambda: ann.get("/conversations").status == 200, 10, "it fills again")
        while time.monotonic() - began < 2:
            more += ann.get("/conversations").status == 200
        assert RATE <= more + 1 <= RATE * (time.monotonic() - began) + 2


def test_others_are_not_held_up(stack, key):
    with person(stack, key, "ann") as ann, person(stack, key, "bob") as bob:
        exhaust(ann)
        bob.get("/conversations").ok
        exhaust(bob)


def test_all_kinds_of_requests_count(stack, key):
    with person(stack, key, "ann") as ann:
        exhaust(ann)
        assert_too_many(ann.post("/conversations", {"type": "group_chat", "members": []}))
        assert_too_many(ann.get("/messages"))
        assert_too_many(ann.request("DELETE", "/messages/1"))
        # Before what is asked is looked at, after who asks and where.
        assert_too_many(ann.get("/messages", limit="x"))
        ann.get("/messages/x/y").problem(404)
        ann.request("GET", "/conversations", None, bearer("x")).problem(401)
        answer = request(stack, f"/ws?token={key.token('ann')}", UPGRADE)
        answer.assert_problem(429)
        ann.get("/healthz").ok


def test_a_refused_request_does_nothing(stack, key):
    with person(stack, key, "ann") as ann, person(stack, key, "root", role="admin") as admin:
        group = ann.post("/conversations", {"type": "group_chat", "members": []}).ok["id"]
        exhaust(ann)
        assert_too_many(ann.post("/messages", {"conversation_id": group, "content": "x"}))
        assert admin.conversation(group)["last_seq"] == 0


def test_administrators(stack, key):
    with person(stack, key, "root", role="admin") as admin:
        for _ in range(4 * BURST):
            admin.get("/conversations").ok
        # Nor whom they act for.
        for _ in range(4 * BURST):
            admin.get("/conversations", username="ann").ok


def test_one_caller_over_many_connections(stack, key):
    clients = [person(stack, key, "ann") for _ in range(8)]
    began = time.monotonic()
    statuses = [client.get("/conversations").status for _ in range(6) for client in clients]
    granted = statuses.count(200)
    assert set(statuses) == {200, 429}
    assert BURST <= granted <= BURST + RATE * (time.monotonic() - began) + 1


def test_another_token_of_the_same_caller_is_no_other_caller(stack, key):
    with person(stack, key, "ann") as one, person(stack, key, "ann", jti="another") as other:
        exhaust(one)
        assert_too_many(other.get("/conversations"))


def test_no_limits_unless_nginx_says_so(key):
    with jwt_stack(key, imd_flags=["--user-rate=1", "--user-burst=1"]) as stack, person(stack, key, "ann") as ann:
        for _ in range(50):
            ann.get("/conversations").ok


def test_in_mode_none_an_address_is_limited():
    flags = [f"--user-rate={RATE}", f"--user-burst={BURST}"]
    with Stack(imd_flags=flags, env={"AUTH": "none", "LIMITS": "1"}) as stack, Client(stack) as client:
        granted = next(number for number in range(200)
                       if client.get("/conversations", username=f"user_{number}").status == 429)
        assert granted >= BURST
        assert_too_many(client.get("/conversations", username="somebody"))
