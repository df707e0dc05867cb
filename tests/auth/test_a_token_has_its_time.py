"""Clocks differ: a minute too late or too early is forgiven."""
import time

import pytest

from sites import bearer
from stack import wait_until

# Between asking the clock and the answer there may pass a few seconds.
SLACK_S = 8


def now():
    return int(time.time())


def test_good_for_a_minute_after_its_end(keyring):
    keyring.assert_taken(keyring.shared.token("ann", exp=now() - 60 + SLACK_S), "ann")


def test_not_for_longer(keyring):
    keyring.assert_refused(keyring.shared.token("ann", exp=now() - 61), "expired_token")


def test_not_a_moment_longer_for_having_been_accepted(keyring):
    exp = now() - 57
    token = keyring.shared.token("ann", exp=exp)
    keyring.assert_taken(token, "ann")
    wait_until(lambda: keyring.whoami(bearer(token)).status == 401, 10, "it has expired")
    assert exp + 60 <= time.time() < exp + 62
    keyring.assert_refused(token, "expired_token")


def test_good_a_minute_before_its_begin(keyring):
    keyring.assert_taken(keyring.shared.token("ann", nbf=now() + 60), "ann")


def test_not_earlier(keyring):
    keyring.assert_refused(keyring.shared.token("ann", nbf=now() + 61 + SLACK_S), None)


@pytest.mark.parametrize("exp", [2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63 - 1])
def test_end_that_is_far_away(keyring, exp):
    keyring.assert_taken(keyring.shared.token("ann", exp=exp), "ann")


@pytest.mark.parametrize("nbf", [0, 1, -1, -2 ** 63])
def test_begin_that_is_long_past(keyring, nbf):
    keyring.assert_taken(keyring.shared.token("ann", nbf=nbf), "ann")


@pytest.mark.parametrize("nbf", [2 ** 31 + 2 ** 30, 2 ** 53, 2 ** 63 - 1])
def test_begin_that_is_far_away(keyring, nbf):
    keyring.assert_refused(keyring.shared.token("ann", nbf=nbf, exp=2 ** 63 - 1), None)


def test_both(keyring):
    """Who is too early and too late at once is not let in by either."""
    keyring.assert_refused(keyring.shared.token("ann", nbf=now() + 3600, exp=now() - 3600), None)
    keyring.assert_taken(keyring.shared.token("ann", nbf=now() - 5, exp=now() + 20), "ann")


def test_an_end_that_is_signed_by_nobody_says_nothing(keyring):
    """Whether a token is expired is told of good signatures alone."""
    keyring.assert_refused(keyring.shared.token("ann", exp=1)[:-4], "invalid_token")
