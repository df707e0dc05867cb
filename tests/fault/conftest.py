import sys
from pathlib import Path

import pytest

# The helpers of this directory and of push, because listeners see many faults.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "push")]
pytest.register_assert_rewrite("chat", "listeners", "load", "fastcgi", "alone")

from listeners import Audience


@pytest.fixture
def listen():
    with Audience() as audience:
        yield audience.listen
