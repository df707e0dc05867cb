"""What all rooms of the suite share."""
import pytest

# So that a failed assert inside a helper shows its values, as one inside a test does.
pytest.register_assert_rewrite("stack", "api", "database")

import database


def pytest_collection_modifyitems(items):
    """Skips what is about SQLite while another engine is tested."""
    for item in items if database.on_postgresql() else []:
        for mark in item.iter_markers("sqlite_only"):
            item.add_marker(pytest.mark.skip(reason=f"about SQLite: {mark.args[0]}"))
