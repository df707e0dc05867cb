"""What all rooms of the suite share."""
import pytest

# So that a failed assert inside a helper shows its values, as one inside a test does.
pytest.register_assert_rewrite("stack", "api")
