#!/usr/bin/python3
"""
A storm of malformed requests at a whole stack, half through nginx and half straight at imd's FastCGI socket: nothing
dies, nothing is answered with 5xx, nothing grows, and afterwards all is as it was.

    python3 tests/fuzz/storm.py --requests 1000000
    python3 tests/fuzz/storm.py --requests 1000000 --seed 17      the same requests again
"""
import argparse
import collections
import multiprocessing
import os
import random
import re
import sqlite3
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib"), str(HERE.parent / "fault"), str(HERE.parent / "push")]

from chat import Chat
from malform import Maker, World
from senders import send_all
from stack import Stack, children, wait_until

CLIENTS = 6
PROGRESS_S = 5
POLL_S = 0.1
FAULTS_SHOWN = 10
# What imd holds by itself may grow by so much from the first tenth of a storm to its end. Each of its 64 threads keeps
# the largest answer and the largest body that it ever had (up to 2 MB where both are), and more threads meet one as time
# goes by; a leak of 100 bytes a request would be 90 MB in a million.
GROWTH_MAX = 48 * 1024 * 1024


class Failed(AssertionError):
    pass


# -- what is watched

def pids(stack):
    return {"imd": stack.master_pid, "relay": stack.relay(), "workers": stack.workers(),
            "nginx": [stack.nginx_pid, *children(stack.nginx_pid)]}


def own_memory(stack):
    """Bytes that imd's processes hold by themselves: the pages of the database, which grows, are not among them."""
    total = 0
    for pid in (stack.master_pid, stack.relay(), *stack.workers()):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += sum(int(kilobytes) for kilobytes in re.findall(r"^Pss_(?:Anon|Shmem):\s+(\d+) kB", rollup, re.M))
    return total * 1024


def sanitized():
    """A sanitizer keeps what is freed: memory says nothing then."""
    return b"__asan_init" in Path(os.environ["IMD"]).read_bytes() if "IMD" in os.environ else False


def settle(chat):
    """Something there for the malformed to meet."""
    users = [f"user_{n}" for n in range(8)]
    conversations = [chat.group(*users)["id"] for _ in range(5)] + [chat.private(*users[:2])["id"]]
    messages = [chat.send({"id": conversation}, users[n % 2], f"message {n}")["id"] for conversation in conversations
                for n in range(5)]
    return World(users, conversations, messages)


def converse(chat, turn):
    """A conversation as people have it."""
    ann, bob = f"ann_{turn}", f"bob_{turn}"
    conversation = chat.group(ann, bob)
    for number in range(1, 6):
        assert chat.send(conversation, (ann, bob)[number % 2], f"line {number}")["seq"] == number
    assert [message["content"] for message in chat.messages(conversation)] == [f"line {n}" for n in range(1, 6)]


# -- the storm

def client(seed, number, stack, world, count, done, results):
    maker = Maker(random.Random(f"{seed}/{number}"), world)
    results.put(send_all(stack.port, stack.state / "imd.sock", maker, count, done))


class Storm:
    def __init__(self, stack, seed, requests, say):
        self.stack = stack
        self.seed = seed
        self.requests = requests
        self.say = say
        self.chat = Chat(stack)
        self.world = settle(self.chat)
        self.before = pids(stack)
        self.memory_early = None
        self.kinds = collections.Counter()
        self.statuses = collections.Counter()
        self.faults = []

    def rage(self):
        results = multiprocessing.Queue()
        done = [multiprocessing.Value("q", lock=False) for _ in range(CLIENTS)]
        shares = [self.requests // CLIENTS + (n < self.requests % CLIENTS) for n in range(CLIENTS)]
        processes = [multiprocessing.Process(target=client, daemon=True, args=[
            self.seed, n, self.stack, self.world, shares[n], done[n], results]) for n in range(CLIENTS)]
        self.began = time.monotonic()
        for process in processes:
            process.start()
        for tally in self._collect(processes, results, done):
            self.kinds += tally.kinds
            self.statuses += tally.statuses
            self.faults += tally.faults
        self.took = time.monotonic() - self.began
        for process in processes:
            process.join()

    def _collect(self, processes, results, done):
        tallies = []
        reported = self.began
        while len(tallies) < len(processes):
            dead = [process.exitcode for process in processes if process.exitcode not in (None, 0)]
            if dead:
                raise Failed(f"a client ended with {dead}")
            while not results.empty():
                tallies.append(results.get())
            count = sum(value.value for value in done)
            if self.memory_early is None and count >= self.requests // 10:
                self.memory_early = own_memory(self.stack)
            if time.monotonic() - reported >= PROGRESS_S:
                reported = time.monotonic()
                self.say(f"{count:,} of {self.requests:,}, {count / (reported - self.began):,.0f}/s, "
                         f"imd's own memory {own_memory(self.stack) / 1e6:.1f} MB")
                if pids(self.stack) != self.before:
                    raise Failed(f"processes: {self.before} before, {pids(self.stack)} now")
            time.sleep(POLL_S)
        return tallies

    def check(self):
        if self.faults:
            raise Failed("\n".join(self.faults[:FAULTS_SHOWN]))
        if pids(self.stack) != self.before:
            raise Failed(f"processes: {self.before} before, {pids(self.stack)} now")
        failed = [line for line in self.stack.log().splitlines() if "event=request_failed" in line]
        if failed:
            raise Failed("\n".join(failed[:10]))
        wait_until(lambda: self.chat.ask("GET", "/healthz").status_code == 200, 10, "all is well")
        converse(self.chat, "after")
        with sqlite3.connect(self.stack.db) as db:
            integrity = db.execute("PRAGMA integrity_check").fetchall() + db.execute("PRAGMA foreign_key_check").fetchall()
        if integrity != [("ok",)]:
            raise Failed(f"the database: {integrity[:10]}")
        self.memory_late = own_memory(self.stack)
        if not sanitized() and self.memory_late > self.memory_early + GROWTH_MAX:
            raise Failed(f"memory: {self.memory_early} bytes after a tenth, {self.memory_late} at the end")

    def summary(self):
        sent = sum(self.kinds.values())
        lines = [f"seed {self.seed}: {sent:,} requests in {self.took:.0f} s, {sent / self.took:,.0f}/s, by {CLIENTS} clients",
                 f"imd's own memory: {self.memory_early / 1e6:.1f} MB after a tenth, {self.memory_late / 1e6:.1f} MB at the end "
                 f"(bound: {GROWTH_MAX / 1e6:.0f} MB more)", "by status:"]
        lines += [f"  {name:20} {count:9,}" for name, count in sorted(self.statuses.items())]
        lines.append("by kind:")
        lines += [f"  {name:28} {count:9,}" for name, count in sorted(self.kinds.items())]
        return "\n".join(lines)


def prove(seed, requests, say=lambda text: None):
    """Runs one storm; Failed (an AssertionError) says what it changed. The summary."""
    with Stack(nginx_workers=2) as stack:
        storm = Storm(stack, seed, requests, say)
        converse(storm.chat, "before")
        storm.rage()
        storm.check()
        return storm.summary()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}: {arguments.requests:,} requests", flush=True)
    try:
        print(prove(arguments.seed, arguments.requests, lambda text: print(text, flush=True)))
    except AssertionError as failure:
        print(f"seed {arguments.seed}: FAILED\n{failure}\n"
              f"Again: make storm REQUESTS={arguments.requests} SEED={arguments.seed}", flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
