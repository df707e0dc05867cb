"""The exit status is 2 and one line says why: imd is stopped or hangs, or another program listens there."""
import os
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

import fastcgi
from alone import Directory
from imctl import program, run
from stack import alive, wait_until

COMMANDS = [["status"], ["listeners", "ann"], ["post", "--as=ann", "--conversation=1", "x"]]
STATUS = b'{"wrong":[]}'


def fails(done, *words):
    assert done.returncode == 2 and done.stdout == "", done
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("imctl: "), done.stderr
    assert not [word for word in words if word not in done.stderr], done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_an_imd_that_does_not_run(tmp_path, command):
    fails(run(*command, f"--socket={tmp_path}/control.sock"), f"{tmp_path}/control.sock", "does not run", "--socket")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(f"{tmp_path}/stale.sock")
    stale.close()
    fails(run(*command, f"--socket={tmp_path}/stale.sock"), f"{tmp_path}/stale.sock", "does not run")


def test_a_path_that_is_no_socket(tmp_path):
    (tmp_path / "file").write_text("")
    fails(run("status", f"--socket={tmp_path}/file"), f"{tmp_path}/file")
    fails(run("status", f"--socket={tmp_path}/{'s' * 120}"), "at most 107 bytes")
    fails(run("status", "--socket="), "imctl: ")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_an_imd_that_hangs(command):
    with Directory() as directory:
        imd = directory.start()
        wait_until(lambda: len(imd.workers()) == 2, 10, "both workers run")
        workers = imd.workers()
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        fails(run(*command, "--timeout=1", f"--socket={directory.path}/control.sock"), "did not answer within 1 s")
        assert 0.9 < time.monotonic() - began < 10
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: fastcgi.ask(directory.path / "control.sock", "GET", "/control/status")[0] == 200, 10, "it answers")


def test_a_stopped_imd_takes_its_socket_away():
    with Directory() as directory:
        imd = directory.start()
        control = directory.path / "control.sock"
        assert control.exists()
        os.kill(imd.pid, signal.SIGTERM)
        assert imd.wait_end() == 0
        assert not control.exists()


class FakeImd:
    """Listens, and answers each connection with given bytes, after it has read the request."""

    def __init__(self, path, answers, hold=False):
        """`answers`: one for each connection; the last also for all further ones. `hold`: do not close."""
        self.path, self.requests = path, []
        self._answers, self._hold, self._held = list(answers), hold, []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(16)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for one in [self._listener, *self._held]:
            one.close()

    def _serve(self):
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            connection.settimeout(10)
            self._answer(connection)

    def _answer(self, connection):
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer is not None:
            self.requests.append(self._read(connection))
            connection.sendall(answer)
        if self._hold:
            self._held.append(connection)
        else:
            connection.close()

    @staticmethod
    def _read(connection):
        """Reads one whole request, and returns its body."""
        body = b""
        while True:
            _, kind, _, size, padding, _ = struct.unpack("!BBHHBB", fastcgi.read_exactly(connection, 8))
            content = fastcgi.read_exactly(connection, size + padding)[:size]
            if kind == fastcgi.STDIN:
                body += content
                if not content:
                    return body


def head(length, status="200 OK"):
    return f"Status: {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()


END = fastcgi.record(fastcgi.END, b"\0" * 8)
WHOLE = fastcgi.record(fastcgi.STDOUT, head(len(STATUS)) + STATUS) + END

NOT_IMD = {
    "http": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "another version": b"\2" + WHOLE[1:],
    "another id": fastcgi.record(fastcgi.STDOUT, head(2) + b"{}", number=2) + END,
    "a request": fastcgi.request("GET", "/"),
    "no head": fastcgi.record(fastcgi.STDOUT, STATUS) + END,
    "no status": fastcgi.record(fastcgi.STDOUT, b"Content-Length: 2\r\n\r\n{}") + END,
    "a body cut short": fastcgi.record(fastcgi.STDOUT, head(99) + STATUS) + END,
    "an end with a fault": WHOLE[:-8] + b"\0\0\0\0\3\0\0\0",
    "more behind its end": WHOLE + b"x",
    "no json": fastcgi.record(fastcgi.STDOUT, head(5) + b"hello") + END,
    "a list": fastcgi.record(fastcgi.STDOUT, head(2) + b"[]") + END,
    "another object": fastcgi.record(fastcgi.STDOUT, head(2) + b"{}") + END,
    "a wrong type": fastcgi.record(fastcgi.STDOUT, head(11) + b'{"wrong":1}') + END,
    "endless": fastcgi.record(fastcgi.STDERR, b"x" * 65535) * 300,
}


@pytest.mark.parametrize("answer", NOT_IMD.values(), ids=NOT_IMD.keys())
def test_an_answer_that_is_not_one_of_imd(tmp_path, answer):
    with FakeImd(tmp_path / "fake.sock", [answer]) if len(answer) < 100000 else Flooding(tmp_path / "fake.sock", answer):
        fails(run("status", "--timeout=10", f"--socket={tmp_path}/fake.sock"), "imctl: ")


class Flooding(FakeImd):
    """Answers with more bytes than its client reads."""

    def __init__(self, path, answer):
        super().__init__(path, [answer])

    def _answer(self, connection):
        try:
            super()._answer(connection)
        except (BrokenPipeError, ConnectionResetError):
            connection.close()


@pytest.mark.parametrize("length", range(0, len(WHOLE), 17))
def test_an_answer_that_ends_early(tmp_path, length):
    """
    A read is sent again, a few times. A message without a key is not sent again, because it might be stored twice.
    """
    with FakeImd(tmp_path / "fake.sock", [WHOLE[:length]]) as fake:
        fails(run("status", f"--socket={fake.path}"), "ended the connection before it answered")
        asked = len(fake.requests)
        assert 2 <= asked <= 8
        fails(run("post", "--as=ann", "--conversation=1", "x", f"--socket={fake.path}"), "may have done the work all the same")
        assert len(fake.requests) == asked + 1


def test_a_question_is_asked_again_if_the_answer_is_lost(tmp_path):
    with FakeImd(tmp_path / "fake.sock", [WHOLE[:40], b"", WHOLE]) as fake:
        done = run("status", "--json", f"--socket={fake.path}")
        assert done.returncode == 0 and done.stdout.encode() == STATUS
        assert len(fake.requests) == 3


def test_a_message_with_a_key_is_sent_again_if_the_answer_is_lost(tmp_path):
    body = b'{"id":7,"seq":3}'
    message = fastcgi.record(fastcgi.STDOUT, head(len(body)) + body) + END
    with FakeImd(tmp_path / "fake.sock", [b"", message]) as fake:
        done = run("post", "--as=ann", "--conversation=1", "--client-id=k", "x", f"--socket={fake.path}")
        assert done.returncode == 0 and done.stdout == "message 7, seq 3\n"
        assert fake.requests == [b'{"conversation_id":1,"username":"ann","content":"x","client_id":"k"}'] * 2


@pytest.mark.parametrize("length", [0, 5, 60])
def test_an_answer_that_never_comes(tmp_path, length):
    with FakeImd(tmp_path / "fake.sock", [WHOLE[:length]], hold=True) as fake:
        fails(run("status", "--timeout=1", f"--socket={fake.path}"), "did not answer within 1 s")


def test_an_answer_that_drips_does_not_extend_the_deadline(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/fake.sock")
        listener.listen(1)
        with subprocess.Popen([program(), "status", "--timeout=1", f"--socket={tmp_path}/fake.sock"],
                              stderr=subprocess.PIPE, text=True) as process:
            connection = listener.accept()[0]
            began = time.monotonic()
            dripping = threading.Event()
            for byte in WHOLE[:-1]:
                try:
                    connection.send(bytes([byte]))
                except OSError:
                    break
                dripping.wait(0.05)
            assert process.wait(20) == 2
            assert time.monotonic() - began < 10
            assert "did not answer within 1 s" in process.stderr.read()
        connection.close()


def test_a_server_fault_is_a_failure_and_a_refusal_is_a_no(tmp_path):
    problem = b'{"error":"Not now"}'
    for status, expected, words in (("503 Service Unavailable", 2, "cannot do it now: Not now"),
                                    ("404 Not Found", 1, "refuses: Not now")):
        path = tmp_path / f"{expected}.sock"
        with FakeImd(path, [fastcgi.record(fastcgi.STDOUT, head(len(problem), status) + problem) + END]):
            done = run("status", f"--socket={path}")
            assert done.returncode == expected and done.stdout == "" and words in done.stderr


def test_a_killed_imd_is_reported():
    with Directory() as directory:
        imd = directory.start()
        left = imd.children()
        os.kill(imd.pid, signal.SIGKILL)
        imd.process.wait()
        wait_until(lambda: not any(map(alive, left)), 10, "the children end")
        fails(run("status", f"--socket={directory.path}/control.sock"), "no process listens there")
