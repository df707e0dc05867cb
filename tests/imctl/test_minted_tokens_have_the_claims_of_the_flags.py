"""PyJWT reads the tokens that imctl mints, and finds the claims that the flags asked for."""
import pytest

from key_files import ALGORITHMS, OTHER, about_now, run


def test_a_secret_signs_and_is_named_in_kid(ring):
    header, claims = ring.read(ring.mint("--sub=ann"), "HS256")
    assert header == {"alg": "HS256", "kid": "kH", "typ": "JWT"}
    assert set(claims) == {"sub", "iat", "exp"}
    assert claims["sub"] == "ann" and about_now(claims["iat"])
    assert claims["exp"] - claims["iat"] == 3600


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_private_key_of_each_algorithm_signs(ring, algorithm):
    done = run("token", "--sub=ann", f"--key={ring.key_file(algorithm)}")
    assert done.returncode == 0 and done.stderr == ""
    header, claims = ring.read(done.stdout.strip(), algorithm)
    assert header["alg"] == algorithm and header["kid"] == f"k{algorithm[0]}"
    assert claims["sub"] == "ann"
    assert ring.accepted(done.stdout.strip()) == "ann"


def test_the_flag_admin_makes_an_administrator(ring):
    assert ring.read(ring.mint("--sub=ann", "--admin"), "HS256")[1]["imd_admin"] is True
    assert ring.accepted(ring.mint("--sub=ann", "--admin")) == "ann, an administrator"
    assert ring.accepted(ring.mint("--sub=ann")) == "ann"


@pytest.mark.parametrize("ttl", [1, 60, 86400, 10 * 366 * 86400])
def test_the_flag_ttl_sets_the_lifetime(ring, ttl):
    claims = ring.read(ring.mint("--sub=ann", f"--ttl={ttl}"), "HS256")[1]
    assert claims["exp"] - claims["iat"] == ttl


def test_a_ttl_of_0_makes_a_token_without_expiry(ring):
    token = ring.mint("--sub=ann", "--ttl=0")
    assert "exp" not in ring.read(token, "HS256")[1]
    assert ring.accepted(token) == "ann"


def test_the_flags_aud_and_iss_set_their_claims(ring):
    token = ring.mint("--sub=ann", "--aud=chat", "--iss=https://i.example/?a=b")
    claims = ring.read(token, "HS256", audience="chat", issuer="https://i.example/?a=b")[1]
    assert claims["aud"] == "chat" and claims["iss"] == "https://i.example/?a=b"


def test_texts_are_quoted_as_json(ring):
    text = 'a "b" \\ é \U0001f44d'
    claims = ring.read(ring.mint("--sub=ann", f"--iss={text}"), "HS256")[1]
    assert claims["iss"] == text


def test_the_last_secret_signs_unless_kid_names_another(ring):
    ring.put(ring.keys, "a.hs256", OTHER)
    assert ring.read(ring.mint("--sub=ann"), "HS256")[0]["kid"] == "kH"
    token = ring.mint("--sub=ann", "--kid=a")
    assert '"kid":"a"' in ring.inspect(token).stdout
    assert ring.accepted(token) == "ann"
    ring.put(ring.keys, "z.hs256", OTHER)
    assert '"kid":"z"' in ring.inspect(ring.mint("--sub=ann")).stdout


def test_flags_are_read_in_any_order_and_after_a_blank(ring):
    assert ring.accepted(ring.mint("--ttl", "60", "--sub", "ann", "--admin")) == "ann, an administrator"
