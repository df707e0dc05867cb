"""
A whole imd for a test: nginx and imd as nginx/serve.sh starts them, in a directory of their own.

    with Stack(imd_flags=["--threads=8"]) as stack:
        requests.get(stack.url + "/healthz")

Env IMD chooses the binary under test, so that the same tests run under the sanitizers.
"""
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from database import create as empty_database

ROOT = Path(__file__).resolve().parents[2]

START_DEADLINE_S = 60
# A worker may take ten seconds to answer its requests in progress.
STOP_DEADLINE_S = 20

LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
                      r"level=(debug|info|warning|error) pid=\d+ event=\w+( .*)?")
# In the environment of all processes of a stack, to tell them from others.
MARK = "IMD_TEST_STACK"
# Tests kill with SIGKILL or SIGTERM. Any other signal is a crash, which a restart would hide.
CRASH = re.compile(r" event=child_died role=\w+ signal=(?!(?:0|9|15) )")
SANITIZER_REPORTS = ("ERROR: AddressSanitizer", "runtime error:", "WARNING: ThreadSanitizer", "LeakSanitizer")


def wait_until(predicate, timeout_s, what):
    """Returns the first true value of predicate(), which is called again and again until the deadline."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = predicate()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.01)


_given_ports = set()


def free_port():
    """
    Returns a port below those of outgoing connections, so that none of these takes it first. Never the same port twice.
    """
    while True:
        port = random.randrange(20000, 32000)
        if port in _given_ports:
            continue
        _given_ports.add(port)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def processes():
    """Returns {pid: (name, parent, start time)} of all processes, except zombies."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text(errors="replace")
        except OSError:
            continue  # it ended meanwhile
        name = stat[stat.index("(") + 1:stat.rindex(")")]
        fields = stat[stat.rindex(")") + 2:].split()
        if fields[0] not in "ZX":
            found[int(entry.name)] = (name, int(fields[1]), fields[19])
    return found


def children(pid, name=None):
    return sorted(child for child, (its_name, parent, _) in processes().items()
                  if parent == pid and name in (None, its_name))


def alive(pid):
    return pid in processes()


def assert_log_is_clean(text):
    """Asserts that no child has crashed, that no sanitizer reports, and that imd wrote every line."""
    for report in SANITIZER_REPORTS:
        assert report not in text, text
    crashes = [line for line in text.splitlines() if CRASH.search(line)]
    assert not crashes, f"children crashed: {crashes[:20]}"
    strangers = [line for line in text.splitlines() if not LOG_LINE.fullmatch(line)]
    assert not strangers, f"not log lines: {strangers[:20]}"


class Stack:
    """
    server_extra and http_extra are texts for the server{} and http{} blocks. Without `state`, a fresh directory is
    made, and removed after a clean end of the `with` block. Stacks with the same `database` are hosts that share it.
    """

    def __init__(self, imd_flags=(), nginx_workers=1, server_extra="", http_extra="", prefix="", state=None, env=None,
                 database=None):
        self._own_state = state is None
        self.state = Path(state or tempfile.mkdtemp(prefix="imd-test-"))
        self.db = self.state / "imd.db"  # where SQLite keeps it
        self._own_database = database is None
        self.database = database or empty_database(self.state)
        self.prefix = prefix
        self.port = None
        self._serve = None
        self._imd_flags = list(imd_flags)
        self._nginx_workers = nginx_workers
        self._extras = {"SERVER_EXTRA": server_extra, "HTTP_EXTRA": http_extra}
        self._env = dict(env or {})

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        if self._own_database:
            self.database.remove()
        if self._own_state:
            shutil.rmtree(self.state)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    @property
    def ws_url(self):
        return f"ws://127.0.0.1:{self.port}{self.prefix}"

    # -- the whole stack

    def add_http(self, text):
        """Adds to http{} of a stack that is not started yet: for text that contains its state's path."""
        assert self._serve is None, "started already"
        self._extras["HTTP_EXTRA"] += text

    def set_imd_flags(self, *flags):
        """Sets the flags for the next start()."""
        assert self._serve is None, "running"
        self._imd_flags = list(flags)

    def start(self):
        """Returns once everything answers. After stop() it starts again, on the same port and state."""
        assert self._serve is None, "started twice"
        self.state.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        out, err = self.state / "serve.out", self.state / "serve.err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            # A session of its own: a Ctrl-C at the terminal stops pytest, and pytest stops the
            # stack.
            self._serve = subprocess.Popen([str(ROOT / "nginx/serve.sh")], cwd=ROOT, env=self._environment(),
                                           stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                                           start_new_session=True)

        def ready():
            text = out.read_text(errors="replace")
            return re.search(r"^imd is ready", text, re.M) or self._serve.poll() is not None

        try:
            wait_until(ready, START_DEADLINE_S, "the ready line of serve.sh")
            assert self._serve.poll() is None, f"serve.sh ended with {self._serve.returncode}"
            complaints = (self.state / "nginx-start.log").read_text(errors="replace")
            assert not complaints, f"nginx starts with complaints: {complaints}"
        except AssertionError as failure:
            self._kill(self._ours())
            self._serve = None
            raise AssertionError(f"{failure}\n{self._all_logs()}") from None

    def stop(self):
        """
        Stops all processes. Asserts that the exit status is 0, that no process is left, and that the log is clean.
        """
        if self._serve is None:
            return
        before = self._ours()
        self._serve.send_signal(signal.SIGTERM)
        try:
            status = self._serve.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            status = f"nothing for {STOP_DEADLINE_S} s after SIGTERM"
        self._serve = None
        now = processes()
        # The same pid with another start time is another process.
        left = {pid: entry for pid, entry in before.items() if pid in now and now[pid][2] == entry[2]} | self._ours()
        self._kill(left)
        assert status == 0, f"serve.sh ended with {status}\n{self._all_logs()}"
        assert not left, f"left behind: {left}\n{self._all_logs()}"
        self.assert_log_is_clean()

    def wait_down(self):
        """Returns when serve.sh has stopped everything because imd was killed. After it, start() starts again."""
        assert self._serve.wait(STOP_DEADLINE_S) == 1
        self._serve = None
        wait_until(lambda: not self._ours(), STOP_DEADLINE_S, "all its processes end")

    def assert_log_is_clean(self):
        assert_log_is_clean(self.log())

    def log(self):
        """Returns everything that imd has written to stderr so far."""
        path = self.state / "imd.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # -- imd's processes

    @property
    def master_pid(self):
        return int((self.state / "imd.pid").read_text())

    def workers(self):
        return children(self.master_pid, "imd-worker")

    def relay(self):
        relays = children(self.master_pid, "imd-relay")
        assert len(relays) == 1, f"relays: {relays}"
        return relays[0]

    def relay_stop(self):
        """Stops the relay until relay_continue(). Does not stop its janitor while that holds the write lock."""
        wait_until(self._relay_stops_in_peace, 20, "the relay stops while no writer waits for it")

    def _relay_stops_in_peace(self):
        os.kill(self.relay(), signal.SIGSTOP)
        if self.database.is_unlocked():
            return True
        self.relay_continue()
        return False

    def relay_continue(self):
        os.kill(self.relay(), signal.SIGCONT)

    # -- only nginx

    @property
    def nginx_pid(self):
        return int((self.state / "nginx.pid").read_text())

    def nginx_stop(self):
        pid = self.nginx_pid
        mine = [pid] + children(pid)
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not set(mine) & set(processes()), STOP_DEADLINE_S, "nginx ends")

    def nginx_start(self):
        subprocess.run([nginx_program(), "-p", str(self.state), "-c", str(self.state / "nginx.conf")], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=(self.state / "serve.err").open("ab"))
        wait_until(self._healthy, START_DEADLINE_S, "nginx answers again")

    def nginx_reload(self):
        """Returns once new workers serve and no old one accepts connections."""
        old = children(self.nginx_pid)
        os.kill(self.nginx_pid, signal.SIGHUP)

        def replaced():
            now = children(self.nginx_pid)
            return set(now) - set(old) and all("shutting down" in cmdline(pid) for pid in set(now) & set(old))

        wait_until(replaced, START_DEADLINE_S, "nginx has new workers")
        wait_until(self._healthy, START_DEADLINE_S, "nginx answers again")

    # -- internal

    def _environment(self):
        env = {**os.environ, "STATE": str(self.state), "PORT": str(self.port),
               "NGINX_WORKERS": str(self._nginx_workers),
               "IMD": str(Path(os.environ.get("IMD") or ROOT / "build/imd").absolute()),
               "IMD_FLAGS": " ".join(self._imd_flags), "PREFIX": self.prefix, "STORE": self.database.store,
               MARK: str(self.state)}
        for name, text in self._extras.items():
            env.pop(name, None)
            if text:
                path = self.state / f"{name.lower()}.conf"
                path.write_text(text)
                env[name] = str(path)
        env.setdefault("TSAN_OPTIONS", f"suppressions={ROOT / 'tests/lib/tsan.supp'}")
        return {**env, **self._env}

    def _healthy(self):
        try:
            with urllib.request.urlopen(self.url + "/healthz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _ours(self):
        """Returns serve.sh and all its descendants, including orphans."""
        everyone = processes()
        mine = {self._serve.pid} if self._serve else set()
        mine |= {pid for pid, (name, _, _) in everyone.items() if belongs(pid, name, self.state)}
        size = 0
        while len(mine) != size:
            size = len(mine)
            mine |= {pid for pid, (_, parent, _) in everyone.items() if parent in mine}
        return {pid: everyone[pid] for pid in mine if pid in everyone}

    @staticmethod
    def _kill(pids):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def _all_logs(self):
        """Returns the ends of all logs, for the message of a failed test."""
        parts = []
        for name in ("serve.out", "serve.err", "imd.log", "error.log", "postgresql/log"):
            path = self.state / name
            if path.exists():
                parts.append(f"--- {path}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-40:]))
        return "\n".join(parts)


def nginx_program():
    # Debian's nginx is not on an ordinary user's PATH.
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")


def cmdline(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def belongs(pid, name, state):
    """True if a process was started for this state. nginx overwrites its environment with its title."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        environment = []
    return f"{MARK}={state}".encode() in environment or (name == "nginx" and f"-p {state} " in cmdline(pid))
