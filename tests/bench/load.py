"""Load by wrk, and measurements of imd from outside during the load."""
import http.client
import json
import os
import platform
import re
import statistics
import subprocess
import threading
import time
from pathlib import Path

import sockets
from stack import nginx_program

REPLAY = Path(__file__).resolve().parent / "replay.lua"
CONNECTIONS, WRK_THREADS = 64, 2
DRAIN_DEADLINE_S = 60
MIB_KB = 1024


def wrk(port, lines, seconds):
    """Sends the lines (see replay.lua) for this long; returns the result, times in ms."""
    done = subprocess.run(
        ["wrk", f"-t{WRK_THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", REPLAY, f"http://127.0.0.1:{port}",
         "--", lines], stdout=subprocess.PIPE, check=True, text=True)
    seen = json.loads(done.stdout.splitlines()[-1])
    return {"per_s": seen["requests"] * 1e6 / seen["duration_us"], "p50_ms": seen["p50_us"] / 1e3,
            "p99_ms": seen["p99_us"] / 1e3, "refused": seen["non_2xx"], "broken": seen["connection_errors"]}


def alone(port, line, seconds):
    """Does the same as wrk(), with one request after the other over one connection."""
    client = sockets.Client(("127.0.0.1", port))
    request = f"{line} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sent, answered = client.exchange(request)
        times.append((answered - sent) * 1e3)
    client.close()
    times.sort()
    return {"per_s": 1e3 / statistics.mean(times), "p50_ms": statistics.median(times),
            "p99_ms": times[len(times) * 99 // 100]}


def ask(port, lines):
    """Returns [(status, body)] of the lines, sent one by one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    answers = []
    for line in lines:
        token, rest = line.split(" ", 1) if line.startswith("eyJ") else (None, line)
        method, path, *body = rest.split(" ", 2)
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        connection.request(method, path, *body, headers=headers)
        answer = connection.getresponse()
        answers.append((answer.status, answer.read()))
    connection.close()
    return answers


class Backlog:
    """Watches how many committed changes are not pushed yet, while a load runs."""

    def __init__(self, stack):
        self.connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)
        self.path = stack.prefix + "/healthz"
        self.seen = []
        self.failure = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def pending(self):
        self.connection.request("GET", self.path)
        self.seen.append(json.load(self.connection.getresponse())["outbox_pending"])
        return self.seen[-1]

    def watch(self):
        try:
            while not self.ended.wait(0.1):
                self.pending()
        except Exception as failure:  # an exception would end the thread unnoticed
            self.failure = failure

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def drain(self):
        """
        Call it after the load. Returns the largest backlog, the backlog at the end, how long it took to drain, and what
        is left.
        """
        start = time.monotonic()
        at_end = self.pending()
        while self.seen[-1] > 0 and time.monotonic() - start < DRAIN_DEADLINE_S:
            self.pending()
        return {"pending_max": max(self.seen), "pending_at_end": at_end, "pending_left": self.seen[-1],
                "drain_s": time.monotonic() - start}


def metric(stack, name):
    (_, text), = ask(stack.port, [f"GET {stack.prefix}/metrics"])
    return int(re.search(rf"(?m)^{name} (\d+)$", text.decode())[1])


def memory(stack):
    """Returns the memory of imd's processes in megabytes (2^20), by kind. Shared pages count once (PSS)."""
    fields = {"Pss": "total", "Pss_Anon": "anonymous", "Pss_File": "file", "Pss_Shmem": "shared"}
    found = dict.fromkeys(fields.values(), 0)
    for pid in [stack.master_pid, stack.relay(), *stack.workers()]:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, value, *_ = line.split()
            if name.rstrip(":") in fields:
                found[fields[name.rstrip(":")]] += int(value) / MIB_KB
    return found


def machine():
    cpus = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")]
    nginx = subprocess.run([nginx_program(), "-v"], stderr=subprocess.PIPE, check=True, text=True).stderr
    return {"cores": len(cpus), "cpu": cpus[0], "kernel": platform.release(), "nginx": nginx.split("nginx/")[1].strip(),
            "load_before": os.getloadavg()[0]}
