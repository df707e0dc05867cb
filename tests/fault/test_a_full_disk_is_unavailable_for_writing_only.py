"""
A real full disk: the state is on a small file system that the test fills. Without the right to mount, the test runs
itself again in a user namespace that has it. A second kind is files that may not grow, as under a quota.
"""
import contextlib
import json
import re
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from chat import Chat, name
from load import assert_unavailable
from stack import Stack, wait_until

pytestmark = pytest.mark.sqlite_only("the disk is that of PostgreSQL's host")

POSTS_MAX = 5000
CONTENT = "x" * 3000


class SmallDisk:
    """A file system of a few megabytes."""

    SIZE_MB = 8

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="imd-disk-"))
        self._ballast = self.path / "ballast"

    def __enter__(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.SIZE_MB}m", "tmpfs", str(self.path)], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", str(self.path)], check=True)
        self.path.rmdir()

    def fill(self, _stack, room_bytes=0):
        """Fills the disk until less room is left than one message takes, or about as much as given."""
        with self._ballast.open("wb", buffering=0) as ballast:
            for size in (1 << 20, 4096):
                try:
                    while ballast.write(b"\0" * size) == size:
                        pass
                except OSError:
                    pass  # full
            ballast.truncate(ballast.tell() - room_bytes)

    def free(self, _stack):
        self._ballast.unlink()


class FixedFiles:
    """Files that may not grow. The limit belongs to each process; new processes inherit it from the master."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="imd-limit-"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    @staticmethod
    def _limit(stack, size):
        for pid in [stack.master_pid, stack.relay(), *stack.workers()]:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def fill(self, stack):
        self._limit(stack, max(stack.db.stat().st_size, Path(f"{stack.db}-wal").stat().st_size))

    def free(self, stack):
        self._limit(stack, resource.RLIM_INFINITY)


def may_mount():
    with tempfile.TemporaryDirectory() as path:
        tried = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", path], capture_output=True)
        if tried.returncode == 0:
            subprocess.run(["umount", path], check=True)
        return tried.returncode == 0


@contextlib.contextmanager
def small_stack(disk):
    """A stack whose files are on that disk, except the log, whose lines a full disk would cut."""
    state = disk.path / "state"
    state.mkdir(mode=0o750)
    with tempfile.NamedTemporaryFile(prefix="imd-log-") as log:
        (state / "imd.log").symlink_to(log.name)
        with Stack(imd_flags=["--threads=8"], state=state) as stack:
            yield stack


def run_again_where_mounting_is_allowed(test="test_on_a_full_disk_writes_get_503_and_reads_succeed[SmallDisk]"):
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode != 0:
        pytest.skip("mounting is not allowed here: only files that may not grow simulate the full disk")
    test = f"{__file__}::{test}"
    subprocess.run(["unshare", "-rm", sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test], check=True)


def post(chat, conversation, ann, content=CONTENT):
    return chat.ask("POST", "/messages/", json={"conversation_id": conversation["id"], "username": ann,
                                                "content": content})


def post_until_refused(chat, conversation, ann):
    """Returns the messages granted before the first refusal, and the refusal."""
    granted = []
    for _ in range(POSTS_MAX):
        answer = post(chat, conversation, ann)
        if answer.status_code != 200:
            return granted, answer
        granted.append(answer.json())
    raise AssertionError(f"{POSTS_MAX} posts went into a full disk")


def alive_as_before(stack, pids):
    assert [stack.master_pid, stack.relay(), *stack.workers()] == pids, stack.log()[-4000:]


def assert_healthz_says_so(chat):
    """From the first refused post on, /healthz reports it as long as there is no room, however often it is asked."""
    for _ in range(20):
        assert_unavailable(chat.ask("GET", "/healthz"))


def filler_bytes(stack):
    with contextlib.closing(sqlite3.connect(f"file:{stack.db}?mode=ro", uri=True)) as db:
        return db.execute("SELECT length(filler) FROM probe").fetchone()[0]


def test_healthz_stays_503_until_the_refused_size_fits():
    """There is room for a few ticks, but not for the message that was refused."""
    if not may_mount():
        run_again_where_mounting_is_allowed("test_healthz_stays_503_until_the_refused_size_fits")
        return
    with SmallDisk() as disk, small_stack(disk) as stack:
        chat, ann = Chat(stack), name("ann")
        conversation = chat.group(ann)
        wait_until(lambda: chat.ask("GET", "/healthz").json()["outbox_pending"] == 0, 20, "all changes are pushed")
        disk.fill(stack, room_bytes=40000)
        assert_unavailable(post(chat, conversation, ann, "x" * 60000))
        assert_healthz_says_so(chat)
        disk.free(stack)
        wait_until(lambda: chat.ask("GET", "/healthz").status_code == 200, 20, "imd is healthy again")
        # The probe does not stay in the database.
        wait_until(lambda: chat.ask("GET", "/healthz").ok and filler_bytes(stack) == 0, 20, "the filler is removed")
        assert post(chat, conversation, ann, "x" * 60000).status_code == 200


def test_bodies_that_nginx_cannot_buffer_are_refused_like_others():
    """nginx writes a body that exceeds its memory buffer to a temporary file, on the same full disk."""
    if not may_mount():
        run_again_where_mounting_is_allowed("test_bodies_that_nginx_cannot_buffer_are_refused_like_others")
        return
    with SmallDisk() as disk, small_stack(disk) as stack:
        chat, ann = Chat(stack), name("ann")
        conversation = chat.group(ann)
        disk.fill(stack)
        for size in (100, 33000, 65000):
            # Each byte escaped as six, or written as one.
            for content in ("x" * size, "\x01" * size):
                assert_unavailable(post(chat, conversation, ann, content))
        members = [f"member{number}" for number in range(20000)]
        assert_unavailable(chat.ask("POST", "/conversations/", json={"type": "group_chat", "members": members}))
        disk.free(stack)
        assert post(chat, conversation, ann, "\x01" * 65000).status_code == 200


def read_slowly(stack, target):
    """Returns (announced length, body) as a client on a slow line gets it, with little buffered in the kernel."""
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", stack.port))
        connection.sendall(f"GET {stack.prefix}{target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        time.sleep(1)  # not waiting for anything: this simulates a slow line
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    return int(re.search(rb"(?i)\ncontent-length: (\d+)", head)[1]), body


def test_pages_within_nginx_buffers_are_read_whole_on_a_slow_line():
    """nginx keeps 256 kB of an answer without a file. More needs disk space; without it, the length shows the cut."""
    if not may_mount():
        run_again_where_mounting_is_allowed("test_pages_within_nginx_buffers_are_read_whole_on_a_slow_line")
        return
    with SmallDisk() as disk, small_stack(disk) as stack:
        chat, ann = Chat(stack), name("ann")
        conversation = chat.group(ann)
        held = [chat.send(conversation, ann, "x" * 60000) for _ in range(16)]
        target = f"/messages?conversation_id={conversation['id']}&after_seq="
        assert len(read_slowly(stack, f"{target}0&limit=1000")[1]) > 900_000
        disk.fill(stack)
        seen = []
        while len(seen) < len(held):
            length, body = read_slowly(stack, f"{target}{len(seen)}&limit=4")
            assert len(body) == length > 240_000
            seen += json.loads(body)["messages"]
        assert seen == held
        length, _ = read_slowly(stack, f"{target}0&limit=1000")
        assert length > 900_000
        disk.free(stack)
        length, body = read_slowly(stack, f"{target}0&limit=1000")
        assert len(body) == length


@pytest.mark.parametrize("kind", [SmallDisk, FixedFiles])
def test_on_a_full_disk_writes_get_503_and_reads_succeed(kind):
    if kind is SmallDisk and not may_mount():
        run_again_where_mounting_is_allowed()
        return
    with kind() as disk, small_stack(disk) as stack:
        chat, ann, new = Chat(stack), name("ann"), name("new")
        conversation = chat.group(ann)
        held = [chat.send(conversation, ann, CONTENT) for _ in range(50)]
        pids = [stack.master_pid, stack.relay(), *stack.workers()]
        for _ in range(2):
            disk.fill(stack)
            granted, refusal = post_until_refused(chat, conversation, ann)
            held += granted
            assert_unavailable(refusal)
            assert_healthz_says_so(chat)
            assert_unavailable(chat.ask("POST", "/conversations/", json={"type": "group_chat", "members": [new]}))
            # Reads need no disk space.
            assert chat.messages(conversation) == held
            assert chat.conversation(conversation)["last_seq"] == len(held)
            alive_as_before(stack, pids)
            assert_healthz_says_so(chat)
            disk.free(stack)
            wait_until(lambda: chat.ask("GET", "/healthz").status_code == 200, 20, "imd is healthy again")
            held += [chat.send(conversation, ann, f"after {number}") for number in range(5)]
            assert chat.messages(conversation) == held
        refused = post(chat, conversation, new)
        assert (refused.status_code, refused.json()["error"]) == (400, "Invalid username")
        alive_as_before(stack, pids)
        stack.stop()
        stack.database.assert_whole()
        stack.start()
        assert Chat(stack).messages(conversation) == held
