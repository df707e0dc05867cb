"""One stack for the whole room; a test that needs another makes its own."""
from contextlib import closing, contextmanager

import pytest

from api import Books, Client, new_name
from stack import Stack


@pytest.fixture(scope="session")
def stack():
    with Stack(nginx_workers=2) as shared:
        yield shared


@pytest.fixture(scope="session")
def books(stack):
    with closing(Books(stack)) as open_books:
        yield open_books


@pytest.fixture
def api(stack):
    with Client(stack) as client:
        yield client


@pytest.fixture
def alice():
    return new_name("a")


@pytest.fixture
def bob():
    return new_name("b")


@pytest.fixture
def group(api, alice, bob):
    return api.group(alice, bob)


@pytest.fixture(scope="module")
def mounted():
    """A stack of the module's own, whose imd is not at the root."""
    with Stack(prefix="/chat") as own:
        yield own


@pytest.fixture
def there(mounted):
    with Client(mounted) as client:
        yield client


@pytest.fixture
def nothing_changes_after(books, api):
    """A context: whatever is done in it, the database stays as it is and the server stays well."""
    @contextmanager
    def context():
        before = books.read()
        yield
        assert books.read() == before
        api.get("/healthz").ok
    return context


@pytest.fixture
def nothing_changes(nothing_changes_after):
    """The same for a whole test."""
    with nothing_changes_after():
        yield
