"""If an audience or an issuer is configured, the token must name it."""
import pytest

from keyring import Keyring
from sites import jwt_stack
from tokens import Hs256

AUDIENCE, ISSUER = "https://chat.example", "https://login.example"


@pytest.fixture(scope="module")
def strict():
    key = Hs256("shared")
    stack = jwt_stack(key, imd_flags=[f"--jwt-audience={AUDIENCE}", f"--jwt-issuer={ISSUER}"])
    with stack:
        yield Keyring(stack, [key])


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["x", AUDIENCE, "y"]], ids=["text", "list", "one_of_many"])
def test_a_token_that_names_them_is_accepted(strict, audience):
    strict.assert_taken(strict.shared.token("ann", aud=audience, iss=ISSUER), "ann")


@pytest.mark.parametrize("audience", [None, "", "https://chat.example/", "https://chat.exampl", "HTTPS://CHAT.EXAMPLE",
                                      f"{AUDIENCE} x", f"{AUDIENCE}\0", [], ["x"], [[AUDIENCE]], {AUDIENCE: 1}, True, 1,
                                      [7, "x"], {"0": AUDIENCE}], ids=repr)
def test_another_audience_is_refused(strict, audience):
    strict.assert_refused(strict.shared.token("ann", aud=audience, iss=ISSUER))


@pytest.mark.parametrize("issuer", [None, "", "https://login.example/", "https://login.exampl", "HTTPS://LOGIN.EXAMPLE",
                                    f"{ISSUER}\0", [ISSUER], {ISSUER: 1}, True, 1], ids=repr)
def test_another_issuer_is_refused(strict, issuer):
    strict.assert_refused(strict.shared.token("ann", aud=AUDIENCE, iss=issuer))


def test_the_audience_does_not_replace_the_issuer(strict):
    strict.assert_refused(strict.shared.token("ann", aud=ISSUER, iss=AUDIENCE))


def test_any_audience_and_issuer_are_accepted_if_none_is_configured(keyring):
    keyring.assert_taken(keyring.shared.token("ann", aud=AUDIENCE, iss=ISSUER), "ann")
    keyring.assert_taken(keyring.shared.token("ann"), "ann")
