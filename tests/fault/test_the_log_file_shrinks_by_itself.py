"""
While a reader blocks checkpoints, the write-ahead log grows beyond its usual size. After the reader has gone, the
log file shrinks: at the next write, or by housekeeping if nobody writes.
"""
import contextlib
import sqlite3

import pytest

from chat import Chat
from load import Load
from stack import Stack, wait_until

pytestmark = pytest.mark.sqlite_only("the write-ahead log is the server's affair")

# DB_LOG_BYTES_KEPT in fcgi_app/store/sqlite/db.h; the first commits after the log is restarted may
# exceed it.
KEPT_BYTES = 32 * 1024 * 1024
PATIENCE_S = 60


@contextlib.contextmanager
def old_reader(path):
    """A reader that holds an old snapshot."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    database.execute("BEGIN")
    database.execute("SELECT count(*) FROM message").fetchone()
    try:
        yield
    finally:
        database.close()


@pytest.fixture
def grown():
    """A stack whose log grew to one and a half times what is kept, and the load that made it grow."""
    with Stack() as stack:
        log = stack.state / "imd.db-wal"
        with Load(stack, Chat(stack), size=30000) as load:
            with old_reader(stack.db):
                wait_until(lambda: log.stat().st_size > KEPT_BYTES * 3 // 2, PATIENCE_S, "the log grows")
            yield stack, log, load
        assert not load.failed, load.failed[:3]
        stack.stop()
        stack.database.assert_whole()


def test_the_log_shrinks_while_others_write(grown):
    stack, log, load = grown
    wait_until(lambda: log.stat().st_size <= KEPT_BYTES, PATIENCE_S, "the log shrinks while others write")


def test_the_log_shrinks_by_housekeeping(grown):
    stack, log, load = grown
    load.stop()
    wait_until(lambda: log.stat().st_size <= KEPT_BYTES, PATIENCE_S, "the log shrinks without writes")
