"""Clocks differ, so a token is accepted up to a minute too early or too late."""
import time

import pytest

from sites import bearer
from stack import wait_until

# A few seconds may pass between reading the clock and the answer.
SLACK_S = 8


def now():
    return int(time.time())


def test_a_token_is_accepted_for_a_minute_after_exp(keyring):
    keyring.assert_taken(keyring.shared.token("ann", exp=now() - 60 + SLACK_S), "ann")


def test_a_token_is_refused_a_minute_after_exp(keyring):
    keyring.assert_refused(keyring.shared.token("ann", exp=now() - 61), "expired_token")


def test_an_accepted_token_is_refused_once_it_expires(keyring):
    exp = now() - 57
    token = keyring.shared.token("ann", exp=exp)
    keyring.assert_taken(token, "ann")
    wait_until(lambda: keyring.whoami(bearer(token)).status == 401, 10, "it has expired")
    assert exp + 60 <= time.time() < exp + 62
    keyring.assert_refused(token, "expired_token")


def test_a_token_is_accepted_a_minute_before_nbf(keyring):
    keyring.assert_taken(keyring.shared.token("ann", nbf=now() + 60), "ann")


def test_a_token_is_refused_earlier_than_a_minute_before_nbf(keyring):
    keyring.assert_refused(keyring.shared.token("ann", nbf=now() + 61 + SLACK_S), None)


@pytest.mark.parametrize("exp", [2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63 - 1])
def test_a_distant_exp_is_accepted(keyring, exp):
    keyring.assert_taken(keyring.shared.token("ann", exp=exp), "ann")


@pytest.mark.parametrize("nbf", [0, 1, -1, -2 ** 63])
def test_an_old_nbf_is_accepted(keyring, nbf):
    keyring.assert_taken(keyring.shared.token("ann", nbf=nbf), "ann")


@pytest.mark.parametrize("nbf", [2 ** 31 + 2 ** 30, 2 ** 53, 2 ** 63 - 1])
def test_a_distant_nbf_is_refused(keyring, nbf):
    keyring.assert_refused(keyring.shared.token("ann", nbf=nbf, exp=2 ** 63 - 1), None)


def test_exp_and_nbf_must_both_hold(keyring):
    """A token that is both too early and too late is refused."""
    keyring.assert_refused(keyring.shared.token("ann", nbf=now() + 3600, exp=now() - 3600), None)
    keyring.assert_taken(keyring.shared.token("ann", nbf=now() - 5, exp=now() + 20), "ann")


def test_a_forged_token_is_not_reported_as_expired(keyring):
    """Only a token with a good signature is answered with expired_token."""
    keyring.assert_refused(keyring.shared.token("ann", exp=1)[:-4], "invalid_token")
