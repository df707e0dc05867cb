"""
Authentication and authorisation. There is one site for each auth mode; a test that needs another one starts its own.
"""
import sys
from pathlib import Path

import pytest

# The helpers of this directory, of push (listeners) and of fault (imd without nginx).
sys.path[:0] = [str(Path(__file__).parent), *(str(Path(__file__).parents[1] / room) for room in ("push", "fault"))]
pytest.register_assert_rewrite("listeners", "people", "sites", "keyring", "alone", "fastcgi", "tokens")

from keyring import open_keyring
from listeners import Audience
from sites import open_jwt, open_none, open_proxy


@pytest.fixture(scope="session")
def _none():
    with open_none() as site:
        yield site


@pytest.fixture(scope="session")
def _proxy():
    with open_proxy() as site:
        yield site


@pytest.fixture(scope="session")
def _jwt():
    with open_jwt() as site:
        yield site


@pytest.fixture(params=["none", "proxy", "jwt"])
def any_site(request):
    """For rules that hold in every mode."""
    return request.getfixturevalue(f"_{request.param}")


@pytest.fixture(params=["proxy", "jwt"])
def verified(request):
    """For rules that hold wherever callers are authenticated."""
    return request.getfixturevalue(f"_{request.param}")


@pytest.fixture(params=["none", "jwt"])
def site(request):
    """For rules of groups, which do not depend on the mode."""
    return request.getfixturevalue(f"_{request.param}")


@pytest.fixture
def jwt(_jwt):
    return _jwt


@pytest.fixture(scope="session")
def keyring():
    with open_keyring() as site:
        yield site


@pytest.fixture
def listen():
    """Opens the socket of a person of `people`, after all earlier changes were pushed."""
    with Audience() as audience:

        def listen(person, kind="websocket"):
            person.site.settle()
            return audience.listen(person.site.door, person.name, kind, person.headers)

        yield listen
