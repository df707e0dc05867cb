"""
A control request whose worker is killed is either answered by another one, or its caller is told. A reload fails no
control request, and silent control connections do not hold it up.
"""
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

import fastcgi
from alone import Directory, program
from imctl import run
from stack import Stack, children, wait_until

SENDERS = 3


class Posting:
    """imctl posts, each with a key of its own, from several threads until it is stopped."""

    def __init__(self, path):
        self._path, self.sent, self.failed = path, [], []
        group = {"type": "group_chat", "members": ["ann"]}
        self._group = json.loads(fastcgi.ask(path, "POST", "/conversations", group)[1])["id"]
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._post_on, args=[number]) for number in range(SENDERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def wait_sent(self, count):
        goal = len(self.sent) + count
        wait_until(lambda: len(self.sent) >= goal or self.failed, 30, f"{count} more posts: {self.failed}")

    def _post_on(self, number):
        count = 0
        while not self._stopped.is_set():
            count += 1
            text = f"{number} {count}"
            done = run("post", "--as=ann", f"--conversation={self._group}", f"--client-id={number}-{count}", text,
                       f"--socket={self._path}")
            if done.returncode == 0:
                self.sent.append(text)
            else:
                self.failed.append(done.stderr)

    def assert_stored_once(self):
        assert not self.failed, self.failed
        stored, after = [], 0
        while True:
            page = json.loads(fastcgi.ask(self._path, "GET", f"/messages?conversation_id={self._group}&after_seq={after}"
                                          "&limit=1000")[1])
            stored += [message["content"] for message in page["messages"]]
            if not page["has_next"]:
                break
            after = page["messages"][-1]["seq"]
        assert sorted(stored) == sorted(self.sent)


def test_killed_workers_lose_no_post_and_repeat_none():
    with Directory() as directory:
        imd = directory.start()
        with Posting(directory.path / "control.sock") as posting:
            for _ in range(6):
                posting.wait_sent(20)
                os.kill(imd.workers()[0], signal.SIGKILL)
                wait_until(lambda: len(imd.workers()) == 2, 20, "the pool is whole again")
            posting.wait_sent(20)
        posting.assert_stored_once()


def test_the_caller_of_a_killed_worker_is_told_and_the_next_is_served():
    """nginx is stopped, so the request for listeners waits in a worker, and both workers are killed."""
    with Stack() as stack:
        control = stack.state / "control.sock"
        nginx = [stack.nginx_pid, *children(stack.nginx_pid)]
        for pid in nginx:
            os.kill(pid, signal.SIGSTOP)
        try:
            with fastcgi.connect(control) as connection:
                connection.sendall(fastcgi.request("GET", "/control/listeners?username=ann"))
                wait_until(lambda: fastcgi.unread_bytes(connection) == 0, 10, "a worker has the request")
                for pid in stack.workers():
                    os.kill(pid, signal.SIGKILL)
                try:
                    assert connection.recv(1) == b""
                except ConnectionResetError:
                    pass
            status = json.loads(fastcgi.ask(control, "GET", "/control/status")[1])
            assert status["child_deaths"] >= 1
            assert any("ended unexpectedly" in sentence for sentence in status["wrong"])
        finally:
            for pid in nginx:
                os.kill(pid, signal.SIGCONT)


def replaced(imd, old):
    now = imd.workers()
    return len(now) == len(old) and not set(now) & set(old)


def test_a_reload_fails_no_control_request():
    with Directory() as directory:
        imd = directory.start()
        with Posting(directory.path / "control.sock") as posting:
            for _ in range(3):
                posting.wait_sent(20)
                old = imd.workers()
                os.kill(imd.pid, signal.SIGHUP)
                wait_until(lambda: replaced(imd, old), 30, "all workers are replaced")
            posting.wait_sent(20)
        posting.assert_stored_once()


def test_silent_control_connections_do_not_hold_up_a_reload():
    """A worker may take 600 s to drain here, but has nothing to wait for."""
    with Directory() as directory, contextlib.ExitStack() as cleanup:
        imd = directory.start("--drain-ms=600000")
        silent = [cleanup.enter_context(fastcgi.connect(directory.path / "control.sock")) for _ in range(20)]
        for connection in silent[::2]:
            connection.sendall(fastcgi.request("POST", "/messages", {"content": "cut"})[:-20])
        assert fastcgi.ask(directory.path / "control.sock", "GET", "/control/status")[0] == 200
        old = imd.workers()
        os.kill(imd.pid, signal.SIGHUP)
        wait_until(lambda: replaced(imd, old) and "event=reloaded" in imd.log(), 25, "all workers are replaced")
        assert "event=child_killed" not in imd.log()


@pytest.fixture
def slow_accept(tmp_path):
    """A library that holds each control connection for a moment between accept() and what follows."""
    library = tmp_path / "slow_accept.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library,
                    Path(__file__).with_name("slow_accept.c"), "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")}


def test_a_silent_connection_that_is_accepted_as_a_drain_begins_does_not_hold_it_up(slow_accept):
    with Directory() as directory, contextlib.ExitStack() as cleanup:
        imd = directory.start("--drain-ms=600000", "--processes=1", env=slow_accept)
        old = imd.workers()
        os.kill(imd.pid, signal.SIGHUP)
        # Both workers still accept, so some connections reach the old one.
        while "event=worker_replaced" not in imd.log():
            cleanup.enter_context(fastcgi.connect(directory.path / "control.sock"))
        wait_until(lambda: replaced(imd, old) and "event=reloaded" in imd.log(), 25, "the worker is replaced")
        assert "event=child_killed" not in imd.log()


def test_an_inherited_fastcgi_socket_has_a_control_socket_beside_it():
    """As spawn-fcgi starts imd: its FastCGI socket is descriptor 0."""
    with Directory() as directory, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory.socket))
        listener.listen(16)
        with (directory.path / "imd.log").open("ab") as log:
            process = subprocess.Popen([program(), *directory.flags], stdin=listener, stdout=subprocess.DEVNULL, stderr=log)
        try:
            wait_until(lambda: answers(directory.path / "control.sock"), 10, "imd answers on the control socket")
            wait_until(lambda: fastcgi.ask(directory.socket, "GET", "/healthz")[0] == 200, 20, "the relay runs")
            assert fastcgi.ask(directory.socket, "GET", "/control/status")[0] == 404
        finally:
            process.terminate()
            assert process.wait(20) == 0
        assert directory.socket.exists() and not (directory.path / "control.sock").exists()


def answers(path):
    try:
        return fastcgi.ask(path, "GET", "/control/status")[0] == 200
    except OSError:
        return False
