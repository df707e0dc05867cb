import sys
from pathlib import Path

import pytest

# Beside the helpers of this room, those of push: a fault is often seen by who listens.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "push")]
pytest.register_assert_rewrite("chat", "listeners", "load", "fastcgi", "alone")

from listeners import Audience


@pytest.fixture
def listen():
    with Audience() as audience:
        yield audience.listen
