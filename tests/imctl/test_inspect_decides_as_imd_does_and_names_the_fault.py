"""imctl inspects tokens that PyJWT made. The status is 0 if imd would accept the token, else 1, and stdout says why."""
import base64
import hmac
import json
import time

import jwt
import pytest

from key_files import ALGORITHMS, OTHER

# When the run began. Tokens that are valid now must be valid until its end.
NOW = int(time.time())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_valid_tokens_are_accepted(ring, algorithm):
    assert ring.accepted(ring.sign({}, algorithm)) == "ann"
    assert ring.accepted(ring.sign({"imd_admin": True, "exp": NOW + 86400}, algorithm)) == "ann, an administrator"
    assert ring.accepted(ring.sign({"role": "admin"}, algorithm)) == "ann"
    assert ring.accepted(ring.sign({}, algorithm, kid=f"k{algorithm[0]}")) == "ann"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_with_changed_claims_is_refused(ring, algorithm):
    header, claims, signature = ring.sign({}, algorithm).split(".")
    forged = base64.urlsafe_b64encode(b'{"sub":"bob"}').decode().rstrip("=")
    assert ring.refused(f"{header}.{forged}.{signature}") == "the signature is wrong"


def test_header_and_claims_of_a_refused_token_are_shown(ring):
    token = jwt.encode({"sub": "bob", "x": [1]}, OTHER, "HS256")
    done = ring.inspect(token)
    assert done.returncode == 1
    header, claims, verdict = done.stdout.splitlines()
    assert json.loads(header.removeprefix("header: ")) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(claims.removeprefix("claims: ")) == {"sub": "bob", "x": [1]}
    assert verdict == "refused: the signature is wrong"


@pytest.mark.parametrize("claims,why", [
    ({"exp": NOW - 120}, "it has expired"),
    ({"nbf": NOW + 86400}, "it is not valid yet"),
    ({"exp": "soon"}, "exp and nbf must be whole numbers"),
    ({"sub": "a b"}, "sub must be 1 to 20 letters, digits or _"),
    ({"sub": 1}, "sub must be 1 to 20 letters, digits or _"),
])
def test_each_wrong_claim_is_named(ring, claims, why):
    # PyJWT checks some types before it signs.
    def part(thing):
        return base64.urlsafe_b64encode(json.dumps(thing).encode()).decode().rstrip("=")

    signed = f'{part({"alg": "HS256"})}.{part({"sub": "ann", **claims})}'
    signature = hmac.digest(ring.signing["HS256"].encode(), signed.encode(), "sha256")
    assert ring.refused(f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}") == why


def test_times_have_a_leeway_of_at_least_30_seconds(ring):
    assert ring.accepted(ring.sign({"exp": int(time.time()) - 30})) == "ann"
    assert ring.accepted(ring.sign({"nbf": int(time.time()) + 30})) == "ann"


def test_audience_and_issuer_are_checked_if_given(ring):
    token = ring.sign({"aud": ["x", "chat"], "iss": "here"})
    assert ring.accepted(token) == "ann"
    assert ring.accepted(token, "--aud=chat", "--iss=here") == "ann"
    assert ring.refused(token, "--aud=y") == "aud does not name the audience"
    assert ring.refused(token, "--iss=there") == "iss is not the issuer"


def test_other_algorithms_than_the_keys_own_are_refused(ring):
    none = jwt.encode({"sub": "ann"}, None, "none")
    assert ring.refused(none) == "it is not a signed token (three parts of base64url)"
    assert ring.refused(none + "AA") == "no key has signed it"
    assert ring.refused(jwt.encode({"sub": "ann"}, ring.signing["HS256"], "HS512")) == "no key has signed it"
    assert ring.refused(ring.sign({}, kid="kR")) == "no key has signed it"


@pytest.mark.parametrize("text", ["", "x", "a.b", "a.b.c", "..", "é", "a" * 5000])
def test_a_malformed_token_is_refused(ring, text):
    done = ring.inspect(text)
    assert done.returncode == 1 and done.stderr == ""
    assert len(done.stdout.splitlines()) == 1 and done.stdout.startswith("refused: ")
