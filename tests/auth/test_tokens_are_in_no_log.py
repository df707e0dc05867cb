"""A token in the address of a socket is a password in an address. No log may contain it."""
import os

import pytest

from api import Client
from handshake import UPGRADE, request
from keyring import Keyring
from sites import bearer, jwt_stack
from tokens import Hs256

EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
def site():
    key = Hs256("tests")
    stack = jwt_stack(key, imd_flags=["--log-level=debug", "--user-rate=1", "--user-burst=3"], env={"LIMITS": "1"})
    with stack:
        yield Keyring(stack, [key])


def assert_unwritten(stack, tokens):
    logs = [path for path in stack.state.rglob("*") if path.is_file() and "keys" not in path.parts
            and (path.suffix in (".log", ".out", ".err"))]
    assert {"access.log", "error.log", "imd.log"} <= {path.name for path in logs}
    for path in logs:
        text = path.read_text(errors="replace")
        for token in tokens:
            # Nor the parts that every spelling has in common: header.PAYLOAD.SIGNATURE.
            for part in token.split(".")[1:]:
                assert part not in text, (path, text[max(0, text.index(part) - 300):][:600])


def every_form(site, token, expected):
    """A socket by each protocol, with the token in each place."""
    found = set()
    for how in (UPGRADE, EVENTS):
        for query, headers in ((f"token={token}", {}), (f"username=ann&token={token}", {}), ("", bearer(token)),
                               ("", {"Cookie": f"imd_token={token}"})):
            found.add(request(site.door, f"/ws?{query}", {**how, **headers}).status)
    assert found <= expected, found


def test_no_log_shows_a_token_in_any_form(site):
    good, expired = site.tests.token("ann"), site.tests.token("ann", exp=1)
    broken = good[:-3] + "AAA"
    every_form(site, good, {101, 200, 429})
    every_form(site, expired, {401, 429})
    every_form(site, broken, {401, 429})
    # On routes that ignore it, and on unknown paths.
    for path in ("/messages", "/conversations/1/changes", "/metrics", "/messages/x/y", "/ws/x", "/nothing", "/healthz",
                 "/ws/%00"):
        request(site.door, f"{path}?token={good}", {"Accept": "*/*"})
    request(site.door, f"/ws?token={good}&username=%ff", UPGRADE)
    request(site.door, f"/ws?token={good}&x={'x' * 40000}", UPGRADE)
    request(site.door, f"/ws?token={good}", {**UPGRADE, "If-None-Match": "0"})
    request(site.door, f"/ws?token={good}", UPGRADE, method="POST")
    assert_unwritten(site.stack, [good, expired, broken])


def test_no_log_shows_a_token_of_a_rate_limited_request(site):
    token = site.tests.token("bob")
    answers = [request(site.door, f"/ws?token={token}", {**EVENTS}).status for _ in range(300)]
    assert 429 in answers and set(answers) <= {200, 429}
    assert_unwritten(site.stack, [token])


def test_no_log_shows_a_token_while_imd_is_down(site):
    """nginx logs the requests that it fails to pass on."""
    token, socket = site.tests.token("ann"), site.stack.state / "imd.sock"
    away = socket.with_suffix(".away")
    os.rename(socket, away)
    try:
        # Kept connections still reach imd.
        answers = [request(site.door, f"/ws?token={token}", UPGRADE).status for _ in range(150)]
    finally:
        os.rename(away, socket)
    assert 502 in answers and 500 not in answers, set(answers)
    assert_unwritten(site.stack, [token])
    with Client(site.door) as client:
        client.get("/healthz").ok
