import sys
from pathlib import Path

import pytest

# The helpers of tests/fault run imd itself.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "fault")]
pytest.register_assert_rewrite("keyring")

from key_files import Keyring


@pytest.fixture
def ring(tmp_path):
    return Keyring(tmp_path)
