"""
Clients hold versions. A database that went back in time would reuse them for other changes, so it gets a new epoch.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import pytest

from alone import Directory
from stack import wait_until

pytestmark = pytest.mark.sqlite_only("the witness beside the file notices a restore")


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
    """Restores the content into the same file."""
    shutil.copyfile(saved, directory.db)


def put_in_place(directory, saved):
    """Replaces the file by another one of the same name."""
    copy = saved.with_suffix(".copy")
    shutil.copyfile(saved, copy)
    copy.rename(directory.db)


def put_back_by_sqlite(directory, saved):
    """Restores as sqlite3's .restore does: the same file, written through SQLite."""
    with contextlib.closing(sqlite3.connect(saved)) as source, \
            contextlib.closing(sqlite3.connect(directory.db)) as target:
        source.backup(target)


@pytest.mark.parametrize("restore", [put_over, put_in_place, put_back_by_sqlite])
def test_a_restored_backup_gets_a_new_epoch(restore):
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
        # From here on it is an ordinary database.
        create(imd)
        end(imd)
        assert epoch(directory.start()) == restored


def test_a_database_without_its_witness_gets_a_new_epoch():
    """For example a copy from elsewhere, or a restored directory whose witness was removed."""
    with Directory() as directory:
        imd = directory.start()
        create(imd)
        before = epoch(imd)
        end(imd)
        (directory.path / "imd.db-witness").unlink()
        assert epoch(directory.start()) != before


def test_a_restart_keeps_the_epoch():
    with Directory() as directory:
        imd = directory.start()
        create(imd)
        before = epoch(imd)
        end(imd)
        for _ in range(2):
            imd = directory.start()
            assert epoch(imd) == before
            end(imd)


def test_a_restart_after_a_kill_keeps_the_epoch():
    """The witness may lag behind what was committed, but never be ahead of it."""
    with Directory() as directory:
        imd = directory.start()
        before = epoch(imd)
        for _ in range(3):
            create(imd)
            noted = (directory.path / "imd.db-witness").read_text()
            wait_until(lambda: (directory.path / "imd.db-witness").read_text() != noted, 10, "the witness is written")
            create(imd)
            imd.kill()
            imd = directory.start()
            assert epoch(imd) == before


def test_pending_changes_of_a_backup_are_not_pushed():
    with Directory() as directory:
        imd = directory.start()
        create(imd)
        saved = directory.path / "saved"
        backup(directory, saved)  # nginx is down, so the change is still pending
        create(imd)
        end(imd)
        remove_log(directory)
        put_over(directory, saved)
        imd = directory.start()
        # Until the relay has begun, /healthz says 503.
        wait_until(lambda: imd.ask("GET", "/healthz")[0] == 200, 20, "the relay runs")
        assert ask(imd, "/healthz")["outbox_pending"] == 0


def test_the_device_in_a_witness_of_version_0_1_is_ignored():
    """The format is "EPOCH TICK DEVICE INODE". The device number may differ after each boot."""
    with Directory() as directory:
        imd = directory.start()
        create(imd)
        before = epoch(imd)
        end(imd)
        witness = directory.path / "imd.db-witness"
        known, tick, *_ = witness.read_text().split()
        inode = directory.db.stat().st_ino
        witness.write_text(f"{known} {tick} 4711 {inode}\n")
        imd = directory.start()
        assert epoch(imd) == before
        end(imd)
        witness.write_text(f"{known} {tick} {directory.db.stat().st_dev} {inode + 1}\n")
        assert epoch(directory.start()) != before


def test_a_file_that_was_given_the_inode_of_the_old_one_is_another_database():
    """A file system reuses the inode of a removed file, but the birth time differs."""
    with Directory() as directory:
        imd = directory.start()
        create(imd)
        before = epoch(imd)
        end(imd)
        witness = directory.path / "imd.db-witness"
        noted, birth = re.fullmatch(r"(\S+ \d+ inode=\d+ birth=)(\d+)\n", witness.read_text()).groups()
        if birth == "0":
            pytest.skip("the file system does not tell when a file was made")
        witness.write_text(f"{noted}0\n")
        imd = directory.start()
        assert epoch(imd) == before  # the witness was written on a file system without birth times
        end(imd)
        noted = witness.read_text().rpartition("=")[0]
        witness.write_text(f"{noted}={int(birth) - 1}\n")
        assert epoch(directory.start()) != before


@contextlib.contextmanager
def mounted(image, at):
    """The same file system, mounted as another device each time."""
    device = subprocess.run(["losetup", "--find", "--show", image], check=True, capture_output=True, text=True).stdout.strip()
    try:
        subprocess.run(["mount", device, at], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", at], check=True)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@pytest.fixture
def image():
    with tempfile.TemporaryDirectory(prefix="imd-image-") as path:
        image = Path(path) / "image"
        with image.open("wb") as file:
            file.truncate(32 << 20)
        subprocess.run(["/usr/sbin/mkfs.ext4", "-q", image], check=True)
        # Only root can use loop devices, and not everywhere.
        probe = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True)
        if probe.returncode != 0:
            pytest.skip(f"no loop devices here: {probe.stderr.strip()}")
        subprocess.run(["losetup", "--detach", probe.stdout.strip()], check=True)
        yield image


def test_the_same_file_on_another_device_is_the_same_database(image):
    with Directory() as directory:
        place = directory.path / "disk"
        place.mkdir()
        directory.move(place / "imd.db")
        with mounted(image, place):
            imd = directory.start()
            create(imd)
            before, device = epoch(imd), directory.db.stat().st_dev
            end(imd)
        with tempfile.NamedTemporaryFile() as other:
            # Holds the loop device that was free before.
            Path(other.name).write_bytes(b"\0" * (1 << 20))
            held = subprocess.run(["losetup", "--find", "--show", other.name], check=True, capture_output=True,
                                  text=True).stdout.strip()
            try:
                with mounted(image, place):
                    assert directory.db.stat().st_dev != device
                    imd = directory.start()
                    assert epoch(imd) == before
                    end(imd)
            finally:
                subprocess.run(["losetup", "--detach", held], check=True)
