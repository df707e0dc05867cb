#!/usr/bin/python3
"""How fast imd is, in ratios to the limit, and how much memory it takes.

The limit is echo.c: a FastCGI server that does nothing, behind the same nginx, with a pool of the same shape, bodies
and answers of the same size. Three targets run side by side: the echo, an imd with 10,000 stored messages and an imd
with 1,000,000. They are measured in turn, round after round, so that whatever else the machine does falls on all of
them; a ratio is the median of the rounds' ratios.

Needs build/imd (or env IMD) and build/bench/echo. Prints a table and writes build/bench.json. The figures judge
nothing: the exit status is 1 only where something broke (a refused request, a lost frame, a change not pushed).
"""
import argparse
import contextlib
import gc
import json
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/lib"))

import database  # noqa: E402
import load  # noqa: E402
import report  # noqa: E402
import sockets  # noqa: E402
from stack import Stack, wait_until  # noqa: E402

BUILD = ROOT / "build"
ECHO = BUILD / "bench/echo"
SMALL, LARGE = 10_000, 1_000_000
POSTS_PER_S = 200
SOCKET_ROUNDS = 5

# What is sent, and how many messages an answer holds (none: it is one itself).
CASES = {
    "page": (database.pages, (database.PAGE, database.PAGE)),
    "recent": (lambda path: database.recent(path, [database.BUSY_USER]), (4, 6)),
    "recent10": (lambda path: database.recent(path, database.OTHER_USERS), (4, 6)),
    "post": (database.posts, None),
}


def block(head, file):
    """The braces, and what is between them, that follow `head` in one of nginx's files."""
    return re.search(rf"(?ms)^{head} (\{{.*?^\}})", (ROOT / "nginx" / file).read_text())[1] + "\n"


class Bench:
    def __init__(self, options):
        self.nginx_workers = options.nginx_workers
        self.seconds = 1 if options.quick else options.seconds
        self.rounds = 1 if options.quick else options.rounds
        self.wanted = options.only.split(",")
        self.problems = []
        self.work = Path(tempfile.mkdtemp(prefix="imd-bench-"))
        self.stacks = {}

    def progress(self, text):
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def broken(self, text):
        self.progress("")
        self.problems.append(text)
        print(f"BROKEN: {text}", file=sys.stderr, flush=True)

    # -- what runs

    def stack(self, name):
        """A stack whose nginx has the echo as well, with the settings that imd has."""
        upstream = block(r"upstream imd", "imd-http.conf")
        location = block(r"location \^~ /_imd/", "imd-server.conf")
        upstream = re.sub(r"(?m)^\s*server\s[^;]+;", f"server unix:{self.work}/echo.sock;", upstream)
        location = location.replace("internal;", "").replace("fastcgi_pass imd;", "fastcgi_pass echo;")
        return Stack(nginx_workers=self.nginx_workers, state=self.work / name,
                     http_extra="upstream echo " + upstream, server_extra="location = /echo " + location)

    @contextlib.contextmanager
    def echo(self):
        # A session of its own: a Ctrl-C at the terminal stops the bench, and the bench stops the echo.
        process = subprocess.Popen([ECHO, self.work / "echo.sock"], start_new_session=True)
        try:
            wait_until((self.work / "echo.sock").exists, 5, "the echo listens")
            yield
        finally:
            process.terminate()
            if process.wait(10) != 0:
                self.broken(f"the echo ended with {process.returncode}")

    def fresh(self, name):
        """Starts, or starts again, a stack on a new copy of its database."""
        stack = self.stacks.setdefault(name, self.stack(name))
        stack.stop()
        stack.state.mkdir(exist_ok=True)
        for left in stack.state.glob("imd.db*"):
            left.unlink()
        shutil.copyfile(self.databases[name], stack.db)
        stack.start()
        return stack

    def run(self):
        result = {"machine": {**load.machine(), "nginx_workers": self.nginx_workers}, "seconds": self.seconds,
                  "rounds": self.rounds, "messages": {"small": SMALL, "large": LARGE}}
        self.progress("making the databases")
        paths = database.prepare(BUILD / "bench", (SMALL, LARGE), lambda: self.stack("empty"))
        self.databases = {"small": paths[SMALL], "large": paths[LARGE]}
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(lambda: [stack.stop() for stack in self.stacks.values()])
            result["memory_at_start"] = load.memory(self.fresh("large"))
            self.fresh("small")
            with self.echo():
                result["cases"] = {name: self.case(name) for name in CASES if name in self.wanted}
                if "sockets" in self.wanted:
                    result["sockets"] = self.audience(self.stacks["large"])
            # Alone: what is shared with another instance would count half.
            self.stacks["small"].stop()
            result["memory_at_end"] = load.memory(self.stacks["large"])
        return result

    # -- requests

    def case(self, name):
        requests_of, count = CASES[name]
        lines = {target: requests_of(self.databases[target]) for target in ("small", "large")}
        sizes = {target: self.answer_bytes(name, target, lines[target], count) for target in lines}
        lines["echo"] = [re.sub(r" \S+", f" /echo?n={sizes['small']}", line, count=1) for line in lines["small"]]
        for target in lines:
            (self.work / target).with_suffix(".txt").write_text("\n".join(lines[target]) + "\n")
        runs = {target: [] for target in ("echo", "small", "large")}
        for number in range(self.rounds + 1):
            for target, rows in runs.items():
                self.progress(f"{name}: round {number} of {self.rounds}, {target}")
                row = self.measure(name, target, self.seconds if number else 1)
                if number:  # the one before the first warms up
                    rows.append(row)
        return {"answer_bytes": sizes["small"], "runs": runs}

    def answer_bytes(self, name, target, lines, count):
        """How large the answers are; and that they are what the case is about."""
        answers = load.ask(self.stacks[target].port, lines if count else lines[:1])
        for status, body in answers:
            if status != 200:
                self.broken(f"{name}, {target}: {status} {body[:200]}")
            elif count and not count[0] <= len(json.loads(body)["messages"]) <= count[1]:
                self.broken(f"{name}, {target}: {len(json.loads(body)['messages'])} messages in an answer")
        return round(statistics.mean(len(body) for _, body in answers))

    def measure(self, name, target, seconds):
        if name == "post" and target != "echo":
            return self.measure_posts(target, seconds)
        return self.wrk(name, target, seconds)

    def wrk(self, name, target, seconds):
        port = self.stacks["small" if target == "echo" else target].port
        row = load.wrk(port, self.work / f"{target}.txt", seconds)
        if row["refused"] or row["broken"]:
            self.broken(f"{name}, {target}: {row['refused']} answers were no 2xx, {row['broken']} connections failed")
        return row

    def measure_posts(self, target, seconds):
        if target == "small":  # else it would be small no more after the first round
            self.fresh("small")
            with load.Backlog(self.stacks["small"]) as backlog:
                self.wrk("post", "small", 1)
            backlog.drain()
        with load.Backlog(self.stacks[target]) as backlog:
            row = self.wrk("post", target, seconds)
        row.update(backlog.drain())
        row["pushed_per_s"] = row["per_s"] * seconds / (seconds + row["drain_s"])
        if backlog.failure:
            self.broken(f"post, {target}: /healthz: {backlog.failure!r}")
        if row["pending_left"]:
            self.broken(f"post, {target}: {row['pending_left']} changes not pushed {row['drain_s']:.0f} s later")
        return row

    # -- sockets

    def audience(self, stack):
        """Posts and bare publishes to the same sockets, in turn."""
        self.progress("sockets: opening")
        gc.disable()  # its pauses would be measured
        audience = sockets.Audience(("127.0.0.1", stack.port), stack.prefix, database.AUDIENCE)
        conversations = database.audience(self.databases["large"])
        api = sockets.Sender(("127.0.0.1", stack.port), audience.loop)
        bare = sockets.Sender(str(stack.state / "push.sock"), audience.loop)
        kinds = {"post": (api, sockets.post(stack.prefix, conversations))}
        audience.run(*kinds["post"], POSTS_PER_S, 0.5)
        kinds["bare"] = (bare, sockets.publish(audience.last_text, database.AUDIENCE))
        audience.run(*kinds["bare"], POSTS_PER_S, 0.5)
        runs = {"bare": [], "post": []}
        for number in range(1 if self.rounds == 1 else SOCKET_ROUNDS):
            for kind, rows in runs.items():
                self.progress(f"sockets: round {number + 1}, {kind}")
                rows.append(audience.run(*kinds[kind], POSTS_PER_S, 2))
                if rows[-1]["lost"]:
                    self.broken(f"sockets, {kind}: {rows[-1]['lost']} frames lost")
        audience.close()
        gc.enable()
        return {"users": len(database.AUDIENCE) * database.MEMBERS, "per_s": POSTS_PER_S, "runs": runs}


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of one second each: does it run at all?")
    parser.add_argument("--only", default=",".join([*CASES, "sockets"]), help="which cases (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each case (%(default)s)")
    parser.add_argument("--seconds", type=int, default=3, help="length of each run (%(default)s)")
    parser.add_argument("--nginx-workers", type=int, default=2, help="worker_processes (%(default)s)")
    return parser.parse_args()


def stop_on(*signals):
    """Ends the bench by an exception, once, so that what it started is stopped."""
    def stop(number, _):
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    for each in signals:
        if signal.getsignal(each) != signal.SIG_IGN:  # nohup's wish
            signal.signal(each, stop)


def main():
    stop_on(signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
    start = time.monotonic()
    bench = Bench(options())
    keep = True
    try:
        result = bench.run()
        keep = bool(bench.problems)
    except SystemExit:
        keep = False
        raise
    finally:
        bench.progress("")
        if keep:
            print(f"What nginx and imd wrote is in {bench.work}", file=sys.stderr)
        else:
            shutil.rmtree(bench.work)
    (BUILD / "bench.json").write_text(json.dumps({**result, "problems": bench.problems}, indent=1) + "\n")
    print(report.text(result))
    print(f"{time.monotonic() - start:.0f} s; the single runs are in {BUILD / 'bench.json'}")
    for problem in bench.problems:
        print(f"BROKEN: {problem}")
    return 1 if bench.problems else 0


if __name__ == "__main__":
    sys.exit(main())
