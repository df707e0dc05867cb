"""imd without nginx: runs the binary in its own directory and speaks to its FastCGI socket."""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import database
import fastcgi
from stack import ROOT, alive, assert_log_is_clean, children, wait_until

STOP_S = 20


def program():
    return str(Path(os.environ.get("IMD") or ROOT / "build/imd").absolute())


def run(*flags, timeout_s=10):
    """Runs imd for an action that ends by itself."""
    return subprocess.run([program(), *flags], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout_s)


class Directory:
    """A directory in which one imd may live after another."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="imd-alone-"))
        self.socket = self.path / "imd.sock"
        self.db = self.path / "imd.db"  # where SQLite keeps it
        self.database = database.create(self.path)
        store = f"--store={self.database.store}" if database.on_postgresql() else f"--database={self.db}"
        self.flags = [store, f"--socket={self.socket}", f"--push-socket={self.path}/push.sock",
                      "--loopback-only", f"--user={pwd.getpwuid(os.geteuid()).pw_name}"]
        self._imds = []

    def elsewhere(self):
        """Returns the flags for another database. Several imds may share one of PostgreSQL."""
        return [] if database.on_postgresql() else [f"--database={self.path}/other.db"]

    def move(self, db):
        """Records that the database is at that place now."""
        self.flags = [flag.replace(f"--database={self.db}", f"--database={db}") for flag in self.flags]
        self.db = db

    def start(self, *flags, env=None):
        imd = Imd(self, flags, env or {})
        self._imds.append(imd)
        imd.wait_ready()
        return imd

    def refused(self, *flags):
        """Returns the message of an imd that must refuse to start."""
        done = run(*self.flags, *flags)
        assert done.returncode not in (0, None) and done.returncode > 0, done
        assert done.stdout == ""
        return done.stderr

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for imd in self._imds:
            imd.kill()
        self.database.remove()
        shutil.rmtree(self.path)


class Imd:
    def __init__(self, directory, flags, env):
        self._directory = directory
        self._log = (directory.path / "imd.log").open("ab")
        self.process = subprocess.Popen([program(), *directory.flags, *flags], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self._log, env={**os.environ, **env})

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return (self._directory.path / "imd.log").read_text()

    def ask(self, method, target, body=None):
        return fastcgi.ask(self._directory.socket, method, target, body)

    def wait_ready(self):
        def answers():
            assert self.process.poll() is None, f"imd ended with {self.process.returncode}:\n{self.log()}"
            try:
                return self.ask("GET", "/conversations/?id=1")[0] in (200, 401)
            except OSError:
                return False

        wait_until(answers, STOP_S, "imd answers")

    def children(self):
        return children(self.pid)

    def workers(self):
        return children(self.pid, "imd-worker")

    def wait_end(self, timeout_s=STOP_S):
        """Returns the exit status. Asserts that no process is left and that the log is clean."""
        mine = self.children()
        status = self.process.wait(timeout_s)
        wait_until(lambda: not any(map(alive, mine)), STOP_S, "its children end")
        assert_log_is_clean(self.log())
        return status

    def kill(self):
        """
        Kills the processes that a failed test left running. The master first, because it would restart its children.
        """
        self.process.send_signal(signal.SIGSTOP)
        mine = self.children()
        self.process.kill()
        self.process.wait()
        for pid in mine:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass  # it ends when the master does
        wait_until(lambda: not any(map(alive, mine)), STOP_S, "its children end")
        self._log.close()
