import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("keyring")

from key_files import Keyring


@pytest.fixture
def ring(tmp_path):
    return Keyring(tmp_path)
