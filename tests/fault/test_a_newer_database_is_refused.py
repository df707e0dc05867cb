import contextlib
import os
import signal
import sqlite3

import pytest

from alone import Directory

pytestmark = pytest.mark.sqlite_only("the test writes the version of the schema into the file")


def user_version(path, new=None):
    with contextlib.closing(sqlite3.connect(path)) as database:
        if new is not None:
            database.execute(f"PRAGMA user_version={new}")
        return database.execute("PRAGMA user_version").fetchone()[0]


def needs(path, version):
    """Which migration a binary must know to use the database."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE instance SET needs = ?", (version,))


def made(directory):
    """A database that an imd created and closed."""
    imd = directory.start()
    assert imd.ask("POST", "/conversations/", {"type": "group_chat", "members": ["ann"]})[0] == 200
    os.kill(imd.pid, signal.SIGTERM)
    assert imd.wait_end() == 0


def test_a_database_of_a_newer_imd_is_refused():
    with Directory() as directory:
        made(directory)
        ours = user_version(directory.db)
        user_version(directory.db, 9999)
        needs(directory.db, 9999)
        before = directory.db.read_bytes()
        message = directory.refused()
        assert "9999" in message and str(ours) in message and "newer" in message, message
        assert directory.db.read_bytes() == before
        # With the version restored, the database works again.
        user_version(directory.db, ours)
        needs(directory.db, ours)
        imd = directory.start()
        assert imd.ask("GET", "/conversations/?id=1")[0] == 200


def test_a_database_of_a_newer_imd_that_lets_older_ones_use_it_is_opened():
    with Directory() as directory:
        made(directory)
        user_version(directory.db, 9999)
        imd = directory.start()
        assert imd.ask("GET", "/conversations/?id=1")[0] == 200
        assert "event=database_newer database_version=9999" in imd.log()


def test_a_file_that_is_not_a_database_is_refused():
    with Directory() as directory:
        noise = b"this is no database, however long it may be. " * 200
        directory.db.write_bytes(noise)
        message = directory.refused()
        assert str(directory.db) in message, message
        assert directory.db.read_bytes() == noise


def test_a_database_of_another_program_is_refused():
    """imd must not mix its tables into those of another program."""
    with Directory() as directory:
        with contextlib.closing(sqlite3.connect(directory.db)) as database:
            database.execute("CREATE TABLE message (text)")
            database.execute("INSERT INTO message VALUES ('mine')")
            database.commit()
        message = directory.refused()
        assert str(directory.db) in message, message
        with contextlib.closing(sqlite3.connect(directory.db)) as database:
            assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("message",)]


def test_a_database_in_a_missing_directory_is_refused():
    with Directory() as directory:
        message = directory.refused(f"--database={directory.path}/missing/imd.db")
        assert f"{directory.path}/missing/imd.db" in message, message
