import sys
from pathlib import Path

import pytest

# The helpers of this room and of three others. pytest's importlib mode puts no test directory on
# the path.
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / room) for room in ("push", "model", "redis"))]
pytest.register_assert_rewrite("chat", "client", "cluster", "databases", "load", "programs", "rest", "truth")

from cluster import Cluster


@pytest.fixture(scope="module")
def cluster(request):
    """A cluster for all tests: each leaves it whole. After a failure its directory is kept."""
    with Cluster() as cluster:
        yield cluster
        cluster.keeps_state = request.session.testsfailed > 0
