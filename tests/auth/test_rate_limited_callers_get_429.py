"""Each authenticated caller has a bucket of their own, which refills. Administrators are not limited."""
import http.client
import time
from contextlib import ExitStack, closing

import pytest

from api import TIMEOUT_S, Answer, Client, new_name
from handshake import UPGRADE, request
from sites import bearer, jwt_stack
from stack import Stack
from tokens import Hs256

RATE, BURST = 5, 12


@pytest.fixture(scope="module")
def key():
    return Hs256("tests")


@pytest.fixture(scope="module")
def stack(key):
    with jwt_stack(key, imd_flags=[f"--user-rate={RATE}", f"--user-burst={BURST}"], env={"LIMITS": "1"}) as own:
        yield own


@pytest.fixture
def call_as(stack, key):
    """Opens connections on which this user calls; without a name, a new user."""
    with ExitStack() as clients:

        def call_as(name=None, **claims):
            return clients.enter_context(Client(stack, bearer(key.token(name or new_name(), **claims))))

        yield call_as


def assert_too_many(answer):
    answer.problem(429, code="too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60, answer


def exhaust(client):
    """Returns how many requests were granted before the first refusal."""
    for granted in range(10 * BURST):
        answer = client.get("/conversations")
        if answer.status != 200:
            assert_too_many(answer)
            return granted
    raise AssertionError("no limit")


def test_rate_limited_users_get_429(call_as):
    ann = call_as()
    began = time.monotonic()
    granted = exhaust(ann)
    # Two workers share the buckets.
    assert BURST <= granted <= BURST + RATE * (time.monotonic() - began) + 1
    # Refused requests are not charged: the bucket refills meanwhile.
    began, more = time.monotonic(), 0
    while time.monotonic() - began < 2:
        more += ann.get("/conversations").status == 200
        time.sleep(0.01)  # an address has its own limit, far higher
    assert RATE <= more <= RATE * (time.monotonic() - began) + 1


def test_other_users_are_not_limited(call_as):
    ann, bob = call_as(), call_as()
    exhaust(ann)
    bob.get("/conversations").ok
    assert exhaust(bob) >= BURST - 1


def test_every_kind_of_request_counts(stack, key, call_as):
    name = new_name()
    ann = call_as(name)
    exhaust(ann)
    assert_too_many(ann.post("/conversations", {"type": "group_chat", "members": []}))
    assert_too_many(ann.get("/messages"))
    assert_too_many(ann.request("DELETE", "/messages/1"))
    request(stack, f"/ws?token={key.token(name)}", UPGRADE).assert_problem(429)
    # After route and caller are checked, and before the inputs are.
    assert_too_many(ann.get("/messages", limit="x"))
    ann.get("/messages/x/y").problem(404)
    ann.request("GET", "/conversations", None, bearer("x")).problem(401)
    ann.get("/healthz").ok


def test_a_rate_limited_request_changes_nothing(call_as):
    ann, admin = call_as(), call_as(imd_admin=True)
    group = ann.post("/conversations", {"type": "group_chat", "members": []}).ok["id"]
    exhaust(ann)
    assert_too_many(ann.post("/messages", {"conversation_id": group, "content": "x"}))
    assert admin.conversation(group)["last_seq"] == 0


def test_administrators_are_not_limited(call_as):
    admin = call_as(imd_admin=True)
    for _ in range(4 * BURST):
        admin.get("/conversations").ok
    # Nor the users that they act for.
    for _ in range(4 * BURST):
        admin.get("/conversations", username="ann").ok


def test_connections_of_a_caller_share_a_bucket(call_as):
    name = new_name()
    clients = [call_as(name) for _ in range(8)]
    began = time.monotonic()
    statuses = [client.get("/conversations").status for _ in range(6) for client in clients]
    assert set(statuses) == {200, 429}
    assert BURST <= statuses.count(200) <= BURST + RATE * (time.monotonic() - began) + 1


def test_tokens_of_a_caller_share_a_bucket(call_as):
    name = new_name()
    exhaust(call_as(name))
    assert_too_many(call_as(name, jti="another").get("/conversations"))


def test_nginx_limits_each_address_before_authentication(stack):
    """From another address, so that it does not limit the other tests."""
    with closing(http.client.HTTPConnection("127.0.0.1", stack.port, TIMEOUT_S, ("127.0.0.9", 0))) as flood:

        def ask():
            flood.request("GET", "/healthz")
            return Answer(flood.getresponse(), "GET", "/healthz")

        answers = (ask() for _ in range(10_000))
        assert_too_many(next(answer for answer in answers if answer.status != 200))
    with Client(stack) as client:
        client.get("/healthz").ok


def test_limits_apply_only_if_nginx_turns_them_on(key):
    with jwt_stack(key, imd_flags=["--user-rate=1", "--user-burst=1"]) as stack, \
            Client(stack, bearer(key.token("ann"))) as ann:
        for _ in range(50):
            ann.get("/conversations").ok


def test_in_mode_none_addresses_are_limited():
    flags = [f"--user-rate={RATE}", f"--user-burst={BURST}"]
    with Stack(imd_flags=flags, env={"AUTH": "none", "LIMITS": "1"}) as stack, Client(stack) as client:
        granted = next(number for number in range(200)
                       if client.get("/conversations", username=f"user_{number}").status == 429)
        assert granted >= BURST
        assert_too_many(client.get("/conversations", username="somebody"))
