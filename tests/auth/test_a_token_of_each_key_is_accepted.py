"""Whatever the algorithm of the key, and whether or not the token names the key."""
import time

import pytest

from api import Client, new_name
from sites import bearer, jwt_stack
from tokens import Hs256, claims

KIDS = ["shared", "other_shared", "pair", "other_pair", "curve", "other_curve"]


@pytest.mark.parametrize("kid", KIDS)
@pytest.mark.parametrize("said", [True, False], ids=["with_kid", "without_kid"])
def test_a_token_of_each_key_authenticates(keyring, kid, said):
    name = new_name()
    keyring.assert_taken(keyring.keys[kid].token(name, kid=said), name)


@pytest.mark.parametrize("header", [
    {"alg": "HS256"},
    {"alg": "HS256", "typ": "jwt", "kid": "shared", "cty": "x", "unknown": [1, {"a": None}]},
    '\n{ "kid" : "sh\\u0061red" , "alg" : "HS\\u0032\\u0035\\u0036" }\n',
], ids=["bare", "more", "spelled_otherwise"])
def test_header_variants_are_accepted(keyring, header):
    name = new_name()
    keyring.assert_taken(keyring.shared.signed(header, claims(name)), name)


def test_other_claims_are_ignored(keyring):
    name = new_name()
    more = {"iat": int(time.time()), "jti": "7", "aud": "somebody", "iss": ["odd"], "name": "Ünïcode 👍",
            "deep": {"sub": "x"}}
    keyring.assert_taken(keyring.curve.token(name, **more), name)


@pytest.mark.parametrize("name", ["a", "A" * 20, "_", "007", "Z_9"])
def test_every_valid_name_is_accepted(keyring, name):
    keyring.assert_taken(keyring.pair.token(name), name)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_case_insensitive(keyring, scheme):
    keyring.whoami({"Authorization": f"{scheme} {keyring.shared.token('ann')}"}).ok


def test_many_keys_at_once_do_not_mix_their_callers(keyring):
    for _ in range(10):
        for kid in KIDS:
            name = new_name()
            keyring.assert_taken(keyring.keys[kid].token(name), name)


def test_only_the_configured_claim_makes_an_administrator(keyring):
    def metrics(**claims):
        return keyring.api.request("GET", "/metrics", None, bearer(keyring.shared.token("ann", **claims)))

    assert metrics(imd_admin=True).status == 200
    # Claims that many sites use for their own purposes.
    for claims in ({"role": "admin"}, {"admin": True}, {"roles": ["admin"]}, {"is_admin": True}, {"imd": "admin"}):
        metrics(**claims).problem(403, code="not_an_admin")
    for value in (None, False, 1, "true", "admin", [True], {"imd_admin": True}, 1.0):
        metrics(imd_admin=value).problem(403, code="not_an_admin")


def test_the_admin_claim_is_configurable():
    key = Hs256()
    with jwt_stack(key, imd_flags=["--jwt-admin-claim=chat.example/admin"]) as stack, Client(stack) as api:
        def metrics(**claims):
            return api.request("GET", "/metrics", None, bearer(key.token("ann", **claims)))

        assert metrics(**{"chat.example/admin": True}).status == 200
        metrics(imd_admin=True).problem(403, code="not_an_admin")


def test_no_claim_makes_an_administrator_if_none_is_configured():
    key = Hs256()
    with jwt_stack(key, imd_flags=["--jwt-admin-claim="]) as stack, Client(stack) as api:
        for claims in ({"imd_admin": True}, {"": True}):
            api.request("GET", "/metrics", None, bearer(key.token("ann", **claims))).problem(403, code="not_an_admin")
