"""The header precedes the cookie. For sockets, the token in the query comes last."""
import pytest

from api import new_name
from handshake import UPGRADE, request
from keyring import assert_unauthorized
from sites import bearer

EVENTS = {"Accept": "text/event-stream"}


def cookie(token):
    return {"Cookie": f"imd_token={token}"}


@pytest.fixture
def ann(keyring):
    return new_name("ann")


@pytest.fixture
def bob(keyring):
    return new_name("bob")


def caller(keyring, names, headers):
    """Returns which of these names the request is authenticated as."""
    found = [name for name in names
             if keyring.api.request("GET", f"/conversations?username={name}", None, headers).status == 200]
    return found[0] if len(found) == 1 else found


def test_the_header_takes_precedence_over_the_cookie(keyring, ann, bob):
    headers = {**bearer(keyring.shared.token(ann)), **cookie(keyring.shared.token(bob))}
    assert caller(keyring, (ann, bob), headers) == ann


def test_a_bad_header_beside_a_good_cookie_is_refused(keyring, ann):
    good = keyring.shared.token(ann)
    assert_unauthorized(keyring.whoami({**bearer(good[:-2]), **cookie(good)}), "invalid_token")
    assert_unauthorized(keyring.whoami({**bearer(keyring.shared.token(ann, exp=1)), **cookie(good)}), "expired_token")


def test_a_cookie_counts_beside_another_authorization_scheme(keyring, ann):
    for value in ("Basic YW5uOnNlY3JldA==", "basic x", "Digest username=ann", "Negotiate x"):
        headers = {"Authorization": value, **cookie(keyring.shared.token(ann))}
        assert caller(keyring, (ann, "else"), headers) == ann


@pytest.mark.parametrize("text", ["imd_token={}", "a=b; imd_token={}; c=d", "a=b;imd_token={}", "imd_token={};",
                                  "aimd_token=x; imd_token={}", "imd_tokens=x; imd_token={}",
                                  "a=imd_token; imd_token={}"])
def test_the_cookie_is_found_among_others(keyring, ann, text):
    assert caller(keyring, (ann, "else"), {"Cookie": text.format(keyring.shared.token(ann))}) == ann


@pytest.mark.parametrize("text", ["imd_tokens={}", "aimd_token={}", "token={}", "imd-token={}", "a=imd_token={}",
                                  "imd_token", "imd_token="])
def test_a_cookie_of_another_name_is_ignored(keyring, ann, text):
    assert_unauthorized(keyring.whoami({"Cookie": text.format(keyring.shared.token(ann))}), "missing_credentials")


def test_a_bad_cookie_is_refused(keyring, ann):
    good = keyring.shared.token(ann)
    for token in ("x", good[:-2], f"{good}=", f"{good}.x", "x" * 5000):
        assert_unauthorized(keyring.whoami(cookie(token)), "invalid_token")
    assert_unauthorized(keyring.whoami(cookie(keyring.shared.token(ann, exp=1))), "expired_token")


@pytest.mark.parametrize("how, status", [(UPGRADE, 101), (EVENTS, 200)], ids=["websocket", "eventsource"])
def test_each_credential_opens_a_socket(keyring, ann, how, status):
    token = keyring.shared.token(ann)
    for headers, query in ((bearer(token), ""), (cookie(token), ""), ({}, f"?token={token}")):
        assert request(keyring.door, f"/ws{query}", {**how, **headers}).status == status
    assert request(keyring.door, f"/ws?username={ann}&token={token}", how).status == status
    assert request(keyring.door, f"/ws/?token={token}&username={ann}", how).status == status


def test_sockets_use_the_same_order(keyring, ann, bob):
    mine, other = keyring.shared.token(ann), keyring.shared.token(bob)
    for headers, token in (({**bearer(mine), **cookie(other)}, other), (cookie(mine), other), ({}, mine)):
        assert request(keyring.door, f"/ws?username={ann}&token={token}", {**UPGRADE, **headers}).status == 101
        request(keyring.door, f"/ws?username={bob}&token={token}", {**UPGRADE, **headers}).assert_problem(403)
    for headers in (bearer("x"), cookie("x")):
        request(keyring.door, f"/ws?token={mine}", {**UPGRADE, **headers}).assert_problem(401)


def test_a_bad_token_in_the_address_is_refused(keyring, ann):
    good = keyring.shared.token(ann)
    for query in ("token=x", f"token={good[:-2]}", f"token={good}=", f"token={good}%3D", f"token={good}%00",
                  f"Token={good}",
                  f"access_token={good}", f"token=x&token={good}", f"token={good}&token={good}", f"token={'x' * 5000}",
                  f"token={keyring.shared.token(ann, exp=1)}", "token=", "token", f"username={ann}"):
        assert request(keyring.door, f"/ws?{query}", UPGRADE).status in (400, 401), query


@pytest.mark.parametrize("method, path", [
    ("GET", "/messages"), ("GET", "/conversations"), ("POST", "/conversations"), ("POST", "/messages"),
    ("GET", "/metrics"),
    ("GET", "/messages/1"), ("DELETE", "/messages/1"), ("PUT", "/messages/1/reactions/x"),
    ("GET", "/conversations/1/changes"),
    ("PUT", "/conversations/1/members/ann"), ("DELETE", "/conversations/1/members/ann")])
def test_a_token_in_the_address_counts_only_for_sockets(keyring, ann, method, path):
    """Queries end up in logs, histories and bookmarks."""
    target = f"{path}?token={keyring.shared.token(ann)}"
    body = b"{}" if method in ("POST", "PUT") else None
    assert_unauthorized(keyring.api.request(method, target, body), "missing_credentials")
    for disguise in (UPGRADE, EVENTS):
        assert_unauthorized(keyring.api.request(method, target, body, disguise), "missing_credentials")


def test_the_route_is_checked_before_the_caller(keyring, ann):
    """Then the caller is checked, then the inputs."""
    api, good = keyring.api, bearer(keyring.shared.token(ann))
    api.request("GET", "/messages/x/y/z").problem(404, code="not_found")
    api.request("PATCH", "/messages").problem(405, code="method_not_allowed")
    for headers, status in (({}, 401), (good, 400)):
        api.request("GET", "/messages?limit=x&username=%ff", None, headers).problem(status)
        api.request("POST", "/messages", b"{", headers).problem(status)
    for headers, status in (({}, 401), (good, 413)):
        api.request("POST", "/conversations/1/join", b'{"x":"' + b"x" * 20000 + b'"}', headers).problem(status)
