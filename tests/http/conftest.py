"""One stack for all tests of this directory. A test that needs another one starts its own."""
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
    """A stack for one module, whose imd is mounted under a prefix."""
    with Stack(prefix="/chat") as own:
        yield own


@pytest.fixture
def there(mounted):
    with Client(mounted) as client:
        yield client


@pytest.fixture
def nothing_changes_after(books, api):
    """Returns a context that asserts that the database did not change and that the server stays healthy."""
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
