"""Clients hold versions; a database that has gone back in time would give them to other changes."""
import contextlib
import json
import os
import shutil
import signal
import sqlite3

import pytest

from alone import Directory
from stack import wait_until


def backup(directory, to):
    """As sqlite3's .backup makes it, while imd runs."""
    with contextlib.closing(sqlite3.connect(directory.db)) as source, contextlib.closing(sqlite3.connect(to)) as copy:
        source.backup(copy)


def create(imd):
    assert imd.ask("POST", "/conversations/", {"type": "group_chat", "members": ["ann"]})[0] == 200


def ask(imd, target):
    status, body = imd.ask("GET", target)
    assert status == 200, body
    return json.loads(body)


def epoch(imd):
    return ask(imd, "/conversations/?username=ann")["epoch"]


def end(imd):
    os.kill(imd.pid, signal.SIGTERM)
    assert imd.wait_end() == 0


def remove_log(directory):
    for suffix in ("-wal", "-shm"):
        (directory.path / f"imd.db{suffix}").unlink(missing_ok=True)


def put_over(directory, saved):
    """The same file with the older content."""
    shutil.copyfile(saved, directory.db)


def put_in_place(directory, saved):
    """Another file of the same name."""
    copy = saved.with_suffix(".copy")
    shutil.copyfile(saved, copy)
    copy.rename(directory.db)


def put_back_by_sqlite(directory, saved):
    """As sqlite3's .restore does it: the same file, written through the engine."""
    with contextlib.closing(sqlite3.connect(saved)) as source, \
            contextlib.closing(sqlite3.connect(directory.db)) as target:
        source.backup(target)


@pytest.mark.parametrize("restore", [put_over, put_in_place, put_back_by_sqlite])
def test_restored(restore):
    with Directory() as directory:
        imd = directory.start()
        create(imd)
        before = epoch(imd)
        saved = directory.path / "saved"
        backup(directory, saved)
        create(imd)
        end(imd)
        remove_log(directory)
        restore(directory, saved)
        imd = directory.start()
        restored = epoch(imd)
        assert restored != before
        # From here on it is a database like any other.
        create(imd)
        end(imd)
        assert epoch(directory.start()) == restored


def test_without_its_witness():
    """A copy from elsewhere, or a directory that was restored as a whole and cleared of its witness."""
    with Directory() as directory:
        imd = directory.start()
        create(imd)
        before = epoch(imd)
        end(imd)
        (directory.path / "imd.db-witness").unlink()
        assert epoch(directory.start()) != before


def test_stopped_and_started():
    with Directory() as directory:
        imd = directory.start()
        create(imd)
        before = epoch(imd)
        end(imd)
        for _ in range(2):
            imd = directory.start()
            assert epoch(imd) == before
            end(imd)


def test_killed_and_started():
    """The witness may lag behind what was committed, but never the other way round."""
    with Directory() as directory:
        imd = directory.start()
        before = epoch(imd)
        for _ in range(3):
            create(imd)
            noted = (directory.path / "imd.db-witness").read_text()
            wait_until(lambda: (directory.path / "imd.db-witness").read_text() != noted, 10, "the witness is told")
            create(imd)
            imd.kill()
            imd = directory.start()
            assert epoch(imd) == before


def test_what_was_pending_in_a_backup_is_not_pushed():
    with Directory() as directory:
        imd = directory.start()
        create(imd)
        saved = directory.path / "saved"
        backup(directory, saved)  # nginx is not there, so the change still waits
        create(imd)
        end(imd)
        remove_log(directory)
        put_over(directory, saved)
        imd = directory.start()
        assert ask(imd, "/healthz")["outbox_pending"] == 0
