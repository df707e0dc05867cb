"""Each of these tokens differs in one point from a token that is accepted."""
import base64
import itertools
import time

import pytest

from keyring import assert_unauthorized
from sites import bearer
from tokens import HASHES, Es256, Hs256, Rs256, claims, encode, openssl

GOOD = claims("ann", lives_s=3600)
KIDS = {"HS256": "shared", "RS256": "pair", "ES256": "curve"}


# -- the algorithm

@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
@pytest.mark.parametrize("kid", [{}, {"kid": "shared"}, {"kid": "none"}], ids=["no_kid", "kid", "kid_none"])
def test_algorithm_none_is_refused(keyring, alg, kid):
    message = f"{encode({'alg': alg, **kid})}.{encode(GOOD)}"
    for token in (message, f"{message}.", f"{message}.{encode(b'x')}",
                  keyring.shared.signed({"alg": alg, **kid}, GOOD)):
        keyring.assert_refused(token)


@pytest.mark.parametrize("alg", ["HS384", "HS512", "RS384", "RS512", "ES384", "ES512", "PS256", "EdDSA", "hs256",
                                 "HS256 ",
                                 "", "HS25", "HS2567", None, 256, True, ["HS256"], {"HS256": 1}])
def test_another_algorithm_is_refused(keyring, alg):
    for kid in KIDS.values():
        key = keyring.keys[kid]
        keyring.assert_refused(key.signed({"alg": alg, "kid": kid}, GOOD))
        keyring.assert_refused(key.signed({"alg": alg}, GOOD))


@pytest.mark.parametrize("bits", ["384", "512"])
@pytest.mark.parametrize("says", ["HS256", "its_own"])
def test_a_longer_hash_is_refused(keyring, bits, says):
    message = f"{encode({'alg': f'HS{bits}' if says == 'its_own' else says, 'kid': 'shared'})}.{encode(GOOD)}"
    keyring.assert_refused(f"{message}.{encode(keyring.shared.sign(message.encode(), bits))}")
    keyring.assert_refused(f"{message}.{encode(keyring.shared.sign(message.encode(), bits)[:32])}")


@pytest.mark.parametrize("alg, says", itertools.permutations(KIDS, 2))
def test_the_algorithm_of_another_key_is_refused(keyring, alg, says):
    key = keyring.keys[KIDS[alg]]
    for kid in (KIDS[alg], KIDS[says], None):
        keyring.assert_refused(key.signed({"alg": says, **({"kid": kid} if kid else {})}, GOOD))
    keyring.assert_refused(key.signed({"alg": alg, "kid": KIDS[says]}, GOOD))


@pytest.mark.parametrize("kid", ["pair", "curve"])
def test_a_public_key_used_as_a_secret_is_refused(keyring, kid):
    pem = keyring.keys[kid].public
    der = openssl("pkey", "-pubin", "-outform", "DER", data=pem)
    for secret in (pem, pem.rstrip(b"\n"), pem + b"\n", pem.replace(b"\n", b"\r\n"), der, der[24:]):
        forger = Hs256(kid, secret)
        forger.secret = secret
        for header in ({"alg": "HS256", "kid": kid}, {"alg": "HS256"}, {"alg": keyring.keys[kid].alg, "kid": kid}):
            keyring.assert_refused(forger.signed(header, GOOD))


@pytest.mark.parametrize("name, secret", [("empty", b""), ("newline", b"\n"), ("kid", b"shared"), ("zeros", bytes(32)),
                                          ("path", b"shared.hs256"), ("with_newline", None)])
def test_guessed_secrets_are_refused(keyring, name, secret):
    forger = Hs256("other_shared")
    forger.secret = keyring.other_shared.secret + b"\n" if secret is None else secret
    for kid in (True, False):
        keyring.assert_refused(forger.token("ann", kid=kid))


@pytest.mark.parametrize("make", [Hs256, Rs256, Es256])
def test_a_token_of_an_unknown_key_is_refused(keyring, make):
    """Even if the token contains the key."""
    stranger = make(KIDS[make.alg])
    for more in ({}, {"kid": stranger.kid}, {"jwk": {"kty": "oct", "k": encode(stranger.public)}},
                 {"jku": "http://127.0.0.1/keys"}, {"x5c": [stranger.public.decode()]}):
        keyring.assert_refused(stranger.signed({"alg": make.alg, **more}, GOOD))


# -- the header

@pytest.mark.parametrize("kid", ["", "stranger", "shared.hs256", "../keys/shared", "./shared", "/etc/passwd", "shared/",
                                 "shared\0", "shared ", " shared", "SHARED", "..", ".", "*", "%s%n", "ключ", "k" * 2000,
                                 None, 1, True, ["shared"], {"shared": 1}])
def test_a_wrong_kid_is_refused(keyring, kid):
    keyring.assert_refused(keyring.shared.signed({"alg": "HS256", "kid": kid}, GOOD))


@pytest.mark.parametrize("header", [
    {"alg": "HS256", "crit": ["exp"]}, {"alg": "HS256", "crit": []}, {"alg": "HS256", "crit": None},
    {"alg": "HS256", "b64": False, "crit": ["b64"]},
    '{"alg":"none","alg":"HS256"}', '{"alg":"HS256","alg":"none"}', '{"alg":"HS256","kid":"x","kid":"shared"}',
    {}, {"typ": "JWT"}, [], ["alg", "HS256"], "HS256", '"HS256"', "null", "", "{", '{"alg":"HS256"', '{"alg":"HS256"}}',
    '{"alg":"HS256"}{}', '{"alg":"HS256",}', "{'alg':'HS256'}", b'{"alg":"HS256"}\0', b'\xef\xbb\xbf{"alg":"HS256"}',
    b'{"alg":"HS256","x":"\xff"}', "[" * 1000 + "]" * 1000,
], ids=lambda header: str(header)[:40])
def test_a_malformed_header_is_refused(keyring, header):
    keyring.assert_refused(keyring.shared.signed(header, GOOD))


# -- the claims

NOW = int(time.time())
NAMES = [None, "", " ", "a b", "ann ", "A" * 21, "ann-", "änn", "ann\0", "ann\n", "*", "../ann", 7, 1.5, True, False,
         [],
         ["ann"], {"name": "ann"}]


@pytest.mark.parametrize("sub", NAMES, ids=repr)
def test_an_invalid_sub_is_refused(keyring, sub):
    keyring.assert_refused(keyring.shared.signed({"alg": "HS256"}, {"sub": sub, "exp": NOW + 3600}))


def test_a_missing_sub_is_refused(keyring):
    for others in ({}, {"name": "ann"}, {"username": "ann"}, {"Sub": "ann"}):
        keyring.assert_refused(keyring.shared.signed({"alg": "HS256"}, {"exp": NOW + 3600, **others}))


@pytest.mark.parametrize("claim", ["exp", "nbf"])
@pytest.mark.parametrize("value", ["{}", "[]", "true", "false", f'"{NOW + 3600}"', f"{NOW + 3600}.0", f"{NOW + 3600}.5",
                                   "1e99", "2e9", "-1e99", "99999999999999999999", "-99999999999999999999", '""',
                                   '"x"'])
def test_a_time_that_is_not_a_whole_number_is_refused(keyring, claim, value):
    keyring.assert_refused(keyring.shared.signed({"alg": "HS256"}, f'{{"sub":"ann","{claim}":{value}}}'))


@pytest.mark.parametrize("payload", [
    f'{{"sub":"bob","sub":"ann","exp":{NOW + 3600}}}',
    f'{{"sub":"ann","exp":1,"exp":{NOW + 3600}}}',
    f'{{"sub":"ann","exp":{NOW + 3600},"imd_admin":false,"imd_admin":true}}',
    f'{{"sub":"ann","\\u0073ub":"bob","exp":{NOW + 3600}}}',
    "", "{", "null", "[]", '"ann"', '["sub","ann"]', f'{{"sub":"ann","exp":{NOW + 3600}}}x',
    f'{{"sub":"ann","exp":{NOW + 3600}',
    b'\xef\xbb\xbf{"sub":"ann"}', b'{"sub":"ann","x":"\xff"}', b'{"sub":"ann"}\0',
], ids=lambda payload: str(payload)[:40])
def test_a_malformed_payload_is_refused(keyring, payload):
    keyring.assert_refused(keyring.shared.signed({"alg": "HS256"}, payload))


@pytest.mark.parametrize("kid", KIDS.values())
def test_an_expired_token_is_refused(keyring, kid):
    for exp in (1, 0, NOW - 3600):
        keyring.assert_refused(keyring.keys[kid].token("ann", exp=exp), "expired_token")
    for exp in (-1, -2 ** 63):
        keyring.assert_refused(keyring.keys[kid].token("ann", exp=exp), None)


# -- the signature

def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_signature_of_another_encoding_is_refused(keyring):
    header = {"alg": "ES256", "kid": "curve"}
    message = f"{encode(header)}.{encode(GOOD)}"
    der = super(Es256, keyring.curve).sign(message.encode())
    order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
    both = keyring.curve.sign(message.encode())
    r, s = both[:32], int.from_bytes(both[32:], "big")
    for signature in (der, b"", bytes(64), bytes(63) + b"\1", b"\0" + both, both + b"\0", both[:63], both[32:],
                      order.to_bytes(32, "big") * 2, r + bytes(32), bytes(32) + both[32:], b"\xff" * 64):
        keyring.assert_refused(f"{message}.{encode(signature)}")
    # Neither forbidden nor a forgery: the same signature with the other s.
    assert keyring.whoami(bearer(f"{message}.{encode(r + (order - s).to_bytes(32, 'big'))}")).status in (200, 401)

    message = f"{encode({'alg': 'RS256', 'kid': 'pair'})}.{encode(GOOD)}"
    good = keyring.pair.sign(message.encode())
    for signature in (b"", bytes(256), b"\xff" * 256, b"\0" + good, good + b"\0", good[:-1], bytes(255) + b"\1",
                      good * 2,
                      HASHES["256"](message.encode()).digest()):
        keyring.assert_refused(f"{message}.{encode(signature)}")


@pytest.mark.parametrize("kid", KIDS.values())
def test_a_truncated_token_is_refused_at_every_length(keyring, kid):
    token = keyring.keys[kid].token("ann")
    for length in range(1, len(token)):
        keyring.assert_refused(token[:length])


@pytest.mark.parametrize("kid", KIDS.values())
def test_a_flipped_bit_is_refused(keyring, kid):
    """One bit of each byte, in each part. The parts are encoded again, because only their bytes matter."""
    parts = keyring.keys[kid].token("ann").split(".")
    for which, part in enumerate(parts):
        data = decode(part)
        for at in range(len(data)):
            flipped = bytearray(data)
            flipped[at] ^= 1 << at % 8
            keyring.assert_refused(".".join([*parts[:which], encode(bytes(flipped)), *parts[which + 1:]]))


def test_unused_bits_of_the_last_letter_must_be_zero(keyring):
    """The last of 43 letters has two unused bits: otherwise a signature would have four encodings."""
    token = keyring.shared.token("ann")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for more in (1, 2, 3):
        keyring.assert_refused(token[:-1] + alphabet[alphabet.index(token[-1]) + more])


def test_other_characters_and_numbers_of_parts_are_refused(keyring):
    """Padding, blanks, the alphabet of plain base64, too few and too many parts."""
    while True:  # a token that has letters of both alphabets, and needs padding
        header, payload, signature = keyring.shared.token("ann", x=str(time.perf_counter_ns())).split(".")
        if "-" in signature and "_" in signature:
            break
    plain = signature.translate(str.maketrans("-_", "+/"))
    for token in (f"{header}.{payload}.{signature}=", f"{header}.{payload}.{plain}", f"{header}.{payload}.{plain}=",
                  f"{header}=.{payload}.{signature}", f"{header}.{payload}==.{signature}",
                  f"{header}. {payload}.{signature}",
                  f"{header}.{payload}.{signature[:20]} {signature[20:]}", f"{header}.{payload}.{signature}.",
                  f"{header}.{payload}.{signature}.{signature}", f".{header}.{payload}.{signature}",
                  f"{header}..{payload}.{signature}", f"{header}.{payload}", header, ".", "..", "...", "a.b.c", "x",
                  f"{header}.{payload}..{signature}", f"{header}.{payload}.{signature}.{payload}.{signature}",
                  f"{header},{payload},{signature}", f'"{header}.{payload}.{signature}"',
                  f"{header}.{payload}.{signature}é", "ŧöķéń".encode().decode("latin-1"),
                  f"{header}%2E{payload}%2E{signature}"):
        keyring.assert_refused(token)


def test_two_tokens_in_a_header_are_refused(keyring):
    one, other = keyring.shared.token("ann"), keyring.shared.token("bob")
    for text in (f"{one} {other}", f"{one},{other}", f"{one}, Bearer {other}", f"{one} Bearer {other}",
                 f"{one};{other}"):
        keyring.assert_refused(text)


def test_a_missing_token_is_refused(keyring):
    for value in ("", "Bearer", "Bearer ", "Basic YW5uOnNlY3JldA==", "Token x", keyring.shared.token("ann")):
        assert_unauthorized(keyring.whoami({"Authorization": value}), None)
    assert_unauthorized(keyring.whoami({}), "missing_credentials")


def token_of_length(key, length):
    """Returns a good token of exactly this many bytes, or of one more if there is none."""
    for pad in range(length):
        token = key.signed({"alg": "HS256", "kid": "shared"}, {**GOOD, "x": "x" * pad})
        if len(token) >= length:
            return token


def test_tokens_are_accepted_up_to_the_maximum_length(keyring):
    for length in (4090, 4091, 4092, 4093, 4094):
        token = token_of_length(keyring.shared, length)
        assert len(token) <= 4096
        keyring.assert_taken(token, "ann")
    for length in (4097, 4100, 5000, 7500):
        keyring.assert_refused(token_of_length(keyring.shared, length))


def test_a_refusal_changes_nothing(keyring):
    """The database is unchanged after any refused request, and the next good token works."""
    bad = bearer(keyring.shared.token("mallory")[:-2])
    with keyring.nothing_changes():
        for method, path, body in (("POST", "/conversations", {"type": "group_chat", "members": ["mallory", "ann"]}),
                                   ("POST", "/messages", {"conversation_id": 1, "content": "x"}),
                                   ("POST", "/conversations/1/join", {}),
                                   ("PUT", "/conversations/1/members/mallory", {})):
            assert_unauthorized(keyring.api.write(method, path, body, bad), "invalid_token")
    keyring.assert_taken(keyring.shared.token("ann"), "ann")

