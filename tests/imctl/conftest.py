import sys
from pathlib import Path

import pytest

# The helpers of tests/fault run imd itself; those of tests/push listen.
sys.path[:0] = [str(Path(__file__).parent), *(str(Path(__file__).parents[1] / room) for room in ("fault", "push"))]
pytest.register_assert_rewrite("key_files", "imctl", "alone", "fastcgi", "listeners")

from key_files import Keyring


@pytest.fixture
def ring(tmp_path):
    return Keyring(tmp_path)
