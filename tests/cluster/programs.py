"""Programs of a cluster: each in a directory of its own, ended with the cluster, killed and started again by tests."""
import os
import signal
import subprocess
import time

from stack import wait_until

ENDS_S = 30


def unprivileged():
    """Returns the words that make a command run as another user: PostgreSQL refuses to run as root."""
    return ["setpriv", "--reuid=www-data", "--regid=www-data", "--init-groups"] if os.getuid() == 0 else []


class Program:
    """One process and its descendants, which are its group."""

    def __init__(self, log, *command):
        self._log = log
        self._command = [*unprivileged(), *map(str, command)]
        self._process = None

    def start(self):
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             start_new_session=True)

    def run(self):
        """Runs a program that ends by itself."""
        self.start()
        status = self._process.wait(ENDS_S)
        self._process = None
        assert status == 0, f"it ended with {status}:\n{self.last_words()}"

    @property
    def pid(self):
        return self._process.pid

    def send(self, number):
        self._process.send_signal(number)

    def assert_runs(self):
        assert self._process.poll() is None, f"it ended with {self._process.returncode}:\n{self.last_words()}"

    def end(self, number=signal.SIGTERM):
        """Ends the process, and returns when it is gone."""
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(ENDS_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self):
        self.end(signal.SIGKILL)

    def last_words(self):
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])


def wait_for(condition, seconds, what, programs=()):
    """As wait_until(), and fails at once if one of the programs ends."""
    def met():
        for program in programs:
            program.assert_runs()
        return condition()

    begun = time.monotonic()
    wait_until(met, seconds, what)
    return time.monotonic() - begun
