import sys
from pathlib import Path

import pytest

# The helpers of this room and of two others. pytest's importlib mode puts no test directory on the
# path.
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "push"), str(HERE.parent / "model")]
pytest.register_assert_rewrite("chat", "client", "front", "hosts", "listeners", "rest", "servers", "truth")

from hosts import Hosts
from listeners import Audience
from servers import Redis


@pytest.fixture
def redis():
    with Redis() as servers:
        yield servers


@pytest.fixture(scope="module")
def two_hosts():
    """Two hosts and one Redis, which stays up."""
    with Redis() as servers, Hosts([servers.cluster_of_one()], nginx_workers=2) as hosts:
        yield hosts


@pytest.fixture
def listen():
    with Audience() as audience:
        yield audience.listen
