#!/usr/bin/python3
"""
Measures how fast imd is, as ratios to the limit, and how much memory it takes.

The limit is echo.c: a FastCGI server that does nothing, behind the same nginx, with a pool of the same shape, and with
bodies and answers of the same size. Four targets run side by side: the echo, an imd with 10,000 stored messages, the
same with tokens (HS256), and an imd with 1,000,000 messages. They are measured in turn, round after round, so that
other load on the machine affects all of them alike. A ratio is the median of the rounds' ratios.

Other comparisons work in the same way. Without listeners: an imd that publishes to all members, and one that publishes
to users who may be listening. On a third database: a user in 50 conversations and one in 5,000, a group of 10 members
and one of 10,000.

Needs build/imd (or env IMD) and build/bench/echo. Prints a table and writes build/bench.json. The exit status does not
depend on the figures. It is 1 if something broke: a refused request, a lost frame, a change that was not pushed.
"""
import argparse
import collections
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

import crowd  # noqa: E402
import databases  # noqa: E402
import load  # noqa: E402
import report  # noqa: E402
import sockets  # noqa: E402
import tokens  # noqa: E402
from stack import Stack, wait_until  # noqa: E402

BUILD = ROOT / "build"
ECHO = BUILD / "bench/echo"
INSTALLED = "/usr/local/share/imd/nginx/"  # the path in the shipped files
POSTS_PER_S = 200
SOCKET_ROUNDS = 5
PAIRS, PUSHED_PAIRS = 400, 5  # posts into each group in a round, without and with their fan-out
PAGE = databases.PAGE

# Which requests are sent, and how many entries of `list` an answer has (None: it is one message).
# In a user case, also which two users of which database are compared.
Case = collections.namedtuple("Case", "requests list least most users database",
                              defaults=(None, None, None, ("few", "many"), "wide"))
# Against the limit, with few and with many messages stored.
CASES = {
    "page": Case(databases.pages, "messages", PAGE, PAGE),
    "recent": Case(lambda path: databases.recent(path, [databases.BUSY_USER]), "messages", 4, 6),
    "recent10": Case(lambda path: databases.recent(path, databases.OTHER_USERS), "messages", 4, 6),
    "changes": Case(databases.changes, "messages", PAGE, PAGE),
    "post": Case(databases.posts),
}
# By users who are in few and in many conversations.
NEW = databases.CHANGED * databases.NEW_EACH
USER_CASES = {
    "list": Case(databases.list_page, "conversations", PAGE, PAGE),
    "resync": Case(databases.resync, "conversations", databases.CHANGED, databases.CHANGED),
    "since": Case(databases.since, "messages", NEW, NEW),
    "middle": Case(databases.middle, "messages", 100, 100),
    "oldest": Case(databases.oldest, "messages", 100, 100),
    "late": Case(databases.oldest, "messages", 100, 100, ("few", "late")),
    "own": Case(databases.list_page, "conversations", PAGE, PAGE, ("quiet", "talker"), "own"),
}
# One request at a time. If a request takes much longer than others, 64 connections would measure a
# queue.
ALONE = ("middle", "oldest", "late", "own")
EVERYTHING = [*CASES, "silent", "sockets", *USER_CASES, "crowd"]
# The case without listeners: to whom imd publishes.
SILENCE = {"all": ["--silence=off"], "listeners": ["--silence=on"]}
SILENT_S = 120  # until imd knows nearly all users who do not listen


def block(head, file):
    """Returns the braces that follow `head` in one of nginx's files, and their content."""
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

    # -- the stacks

    def stack(self, name, imd_flags=(), auth="none"):
        """Returns a stack whose nginx also serves the echo, with the same settings as imd."""
        upstream = block(r"upstream imd", "imd-http.conf")
        location = block(r"location \^~ /_imd/", "imd-server.conf")
        upstream = re.sub(r"(?m)^\s*server\s[^;]+;", f"server unix:{self.work}/echo.sock;", upstream)
        request = (ROOT / "nginx/imd-request.conf").read_text()
        location = location.replace(f"include {INSTALLED}imd-request.conf;", request)
        # As included, but passed to the echo.
        asks = (ROOT / "nginx/imd-fastcgi.conf").read_text().replace("fastcgi_pass imd;", "fastcgi_pass echo;")
        location = location.replace("internal;", "").replace(f"include {INSTALLED}imd-fastcgi.conf;", asks)
        location = location.replace(INSTALLED, f"{self.work / name}/")
        return Stack(imd_flags=imd_flags, nginx_workers=self.nginx_workers, state=self.work / name, env={"AUTH": auth},
                     http_extra="upstream echo " + upstream, server_extra="location = /echo " + location)

    @contextlib.contextmanager
    def echo(self):
        # A session of its own: a Ctrl-C at the terminal stops the bench, and the bench stops the
        # echo.
        process = subprocess.Popen([ECHO, self.work / "echo.sock"], start_new_session=True)
        try:
            wait_until((self.work / "echo.sock").exists, 5, "the echo listens")
            yield
        finally:
            process.terminate()
            if process.wait(10) != 0:
                self.broken(f"the echo ended with {process.returncode}")

    def fresh(self, name, imd_flags=()):
        """Starts or restarts a stack on a new copy of its database."""
        if name not in self.stacks:
            self.stacks[name] = self.stack(name, imd_flags, "jwt" if name == "tokens" else "none")
        stack = self.stacks[name]
        stack.stop()
        stack.state.mkdir(exist_ok=True)
        for left in stack.state.glob("imd.db*"):
            left.unlink()
        shutil.copyfile(self.databases[name], stack.db)
        stack.start()
        return stack

    def run(self):
        result = {"machine": {**load.machine(), "nginx_workers": self.nginx_workers}, "seconds": self.seconds,
                  "rounds": self.rounds, "messages": {"small": databases.SMALL, "large": databases.LARGE},
                  "conversations": {"few": databases.FEW, "many": databases.MANY}}
        self.progress("making the databases")
        self.databases = databases.prepare(BUILD / "bench", lambda name: self.stack("empty-" + name))
        self.databases["unpushed"] = self.databases["wide"]
        self.databases.update(dict.fromkeys(["tokens", *SILENCE], self.databases["small"]))
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(lambda: [stack.stop() for stack in self.stacks.values()])
            if not set(self.wanted).isdisjoint([*CASES, "sockets"]):
                result.update(self.run_against_limit())
            if "silent" in self.wanted:
                result["silent"] = self.silent()
            if not set(self.wanted).isdisjoint([*USER_CASES, "crowd"]):
                result.update(self.run_wide())
        return result

    def run_against_limit(self):
        result = {"memory_at_start": load.memory(self.fresh("large"))}
        self.fresh("small")
        self.fresh("tokens")
        with self.echo():
            result["cases"] = {name: self.case(name, case) for name, case in CASES.items() if name in self.wanted}
            if "sockets" in self.wanted:
                result["sockets"] = self.audience(self.stacks["large"])
        # Alone, because pages shared with another instance would count half.
        self.stacks["small"].stop()
        self.stacks["tokens"].stop()
        result["memory_at_end"] = load.memory(self.stacks["large"])
        self.stacks["large"].stop()
        return result

    def run_wide(self):
        result = {}
        if "crowd" in self.wanted:
            result["durable"] = self.durable()
        self.fresh("wide")
        if "own" in self.wanted:
            self.fresh("own")
        result["user_cases"] = {name: self.user_case(name, case) for name, case in USER_CASES.items()
                                if name in self.wanted}
        if "crowd" in self.wanted:
            result["fan_out"] = self.fan_out(self.stacks["wide"])
        result["memory_wide"] = load.memory(self.stacks["wide"])
        self.stacks["wide"].stop()
        return result

    # -- requests

    def in_turn(self, name, rounds, measure, targets):
        """Returns {target: [the result of measure(target, seconds) in each round]}."""
        runs = {target: [] for target in targets}
        for number in range(rounds + 1):
            for target, rows in runs.items():
                self.progress(f"{name}: round {number} of {rounds}, {target}")
                row = measure(target, self.seconds if number else 1)
                if number:  # the one before the first warms up
                    rows.append(row)
        return runs

    def case(self, name, case):
        lines = {target: case.requests(self.databases[target]) for target in ("small", "large")}
        sizes = {target: self.answer_bytes(name, self.stacks[target], lines[target], case) for target in lines}
        secret = (self.stacks["tokens"].state / "keys/dev.hs256").read_bytes()
        lines["tokens"] = databases.with_tokens(lines["small"], tokens.Hs256("dev", secret))
        self.answer_bytes(name, self.stacks["tokens"], lines["tokens"], case)
        lines["echo"] = [re.sub(r" \S+", f" /echo?n={sizes['small']}", line, count=1) for line in lines["small"]]
        for target in lines:
            self.write_lines(target, lines[target])
        runs = self.in_turn(name, self.rounds, lambda *run: self.measure(name, *run), ("echo", "small", "tokens", "large"))
        return {"answer_bytes": sizes["small"], "runs": runs}

    def user_case(self, name, case):
        stack, sizes, lines = self.stacks[case.database], {}, {}
        for user in case.users:
            lines[user] = case.requests(self.databases[case.database], user)
            sizes[user] = self.answer_bytes(name, stack, lines[user], case)
            self.write_lines(user, lines[user])
        if name in ALONE:
            runs = self.in_turn(name, self.rounds, lambda user, _: load.alone(stack.port, lines[user][0], 1), lines)
        else:
            runs = self.in_turn(name, self.rounds, lambda user, seconds: self.wrk(name, user, seconds), lines)
        return {"answer_bytes": sizes[case.users[0]], "users": case.users, "runs": runs}

    def write_lines(self, target, lines):
        (self.work / f"{target}.txt").write_text("\n".join(lines) + "\n")

    def answer_bytes(self, name, stack, lines, case):
        """Returns the size of the answers, and checks that they have the entries that the case is about."""
        answers = load.ask(stack.port, lines if case.list else lines[:1])
        for status, body in answers:
            if status != 200:
                self.broken(f"{name}: {status} {body[:200]}")
            elif case.list and not case.least <= len(json.loads(body)[case.list]) <= case.most:
                self.broken(f"{name}: {len(json.loads(body)[case.list])} {case.list} in an answer")
        return round(statistics.mean(len(body) for _, body in answers))

    def measure(self, name, target, seconds):
        if name == "post" and target != "echo":
            return self.measure_posts(target, seconds)
        return self.wrk(name, target, seconds)

    def wrk(self, name, target, seconds):
        port = self.stacks[{"echo": "small", "few": "wide", "many": "wide"}.get(target, target)].port
        row = load.wrk(port, self.work / f"{target}.txt", seconds)
        if row["refused"] or row["broken"]:
            self.broken(f"{name}, {target}: {row['refused']} answers were no 2xx, {row['broken']} connections failed")
        return row

    def measure_posts(self, target, seconds):
        if target != "large":  # else it would no longer be small after the first round
            self.fresh(target)
            with load.Backlog(self.stacks[target]) as backlog:
                self.wrk("post", target, 1)
            backlog.drain()
        return self.post_and_push("post", target, seconds)

    def post_and_push(self, name, target, seconds):
        with load.Backlog(self.stacks[target]) as backlog:
            row = self.wrk(name, target, seconds)
        row.update(backlog.drain())
        row["pushed_per_s"] = row["per_s"] * seconds / (seconds + row["drain_s"])
        if backlog.failure:
            self.broken(f"{name}, {target}: /healthz: {backlog.failure!r}")
        if row["pending_left"]:
            self.broken(f"{name}, {target}: {row['pending_left']} changes not pushed {row['drain_s']:.0f} s later")
        return row

    def silent(self):
        """Posts into many conversations without listeners."""
        for target, flags in SILENCE.items():
            conversations = databases.converse(self.fresh(target, flags).port, databases.silent_people())
            self.write_lines(target, databases.silent_posts(conversations))
        stack, users = self.stacks["listeners"], databases.SILENT * databases.MEMBERS

        def all_are_silent():
            self.wrk("silent", "listeners", 1)
            return load.metric(stack, "imd_silent_names") > users * 0.99

        self.progress("silent: nchan is asked who listens")
        wait_until(all_are_silent, SILENT_S, "nearly all are silent")
        runs = self.in_turn("silent", self.rounds, lambda *run: self.post_and_push("silent", *run), SILENCE)
        for target in SILENCE:
            self.stacks[target].stop()
        return {"conversations": databases.SILENT, "runs": runs}

    # -- sockets

    def audience(self, stack):
        """Posts and bare publishes to the same sockets, in turn."""
        self.progress("sockets: opening")
        gc.disable()  # its pauses would be measured
        audience = sockets.Audience(("127.0.0.1", stack.port), stack.prefix, databases.AUDIENCE)
        conversations = databases.audience(self.databases["large"])
        api = sockets.Sender(("127.0.0.1", stack.port), audience.loop)
        bare = sockets.Sender(str(stack.state / "push.sock"), audience.loop)
        kinds = {"post": (api, sockets.post(stack.prefix, conversations))}
        audience.run(*kinds["post"], POSTS_PER_S, 0.5)
        kinds["bare"] = (bare, sockets.publish(audience.last_text, databases.AUDIENCE))
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
        return {"users": len(databases.AUDIENCE) * databases.MEMBERS, "per_s": POSTS_PER_S, "runs": runs}


    # -- groups

    def durable(self):
        """Posts into both groups, without pushing."""
        stack = self.fresh("unpushed", ["--push-socket=" + str(self.work / "nobody.sock")])
        groups = databases.crowds(self.databases["wide"])
        pairs = PAIRS if self.rounds > 1 else PAIRS // 10
        runs = {group: [] for group in groups}
        for number in range(self.rounds + 1):
            self.progress(f"crowd: round {number} of {self.rounds}")
            for group, row in crowd.durable(stack, groups, pairs).items():
                if number:
                    runs[group].append(row)
        stack.stop()
        return runs

    def fan_out(self, stack):
        groups = databases.crowds(self.databases["wide"])
        last = len(databases.CROWD) - 1
        listeners = {"ten": databases.TENSOME, "crowd": [databases.CROWD[n * last // 9] for n in range(10)]}
        fan_out = crowd.FanOut(stack, groups, listeners)
        runs = {group: [] for group in groups}
        for number in range(self.rounds + 1):
            self.progress(f"fan-out: round {number} of {self.rounds}")
            for group, row in fan_out.run(PUSHED_PAIRS if number else 1).items():
                if number:
                    runs[group].append(row)
        fan_out.close()
        return {"channels": len(databases.CROWD), "runs": runs}


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of one second each: does it run at all?")
    parser.add_argument("--only", default=",".join(EVERYTHING), help="which cases (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each case (%(default)s)")
    parser.add_argument("--seconds", type=int, default=3, help="length of each run (%(default)s)")
    parser.add_argument("--nginx-workers", type=int, default=2, help="worker_processes (%(default)s)")
    chosen = parser.parse_args()
    if unknown := set(chosen.only.split(",")).difference(EVERYTHING):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    return chosen


def stop_on(*signals):
    """Ends the bench by an exception, once, so that its processes are stopped."""
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
