import sys
from pathlib import Path

import pytest

# The helpers of this room lie beside its tests; pytest's importlib mode puts no test directory on
# the path.
sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("audit", "client", "rest", "truth", "users", "world")
