#!/usr/bin/python3
"""
Runs the model test for a given time: run after run, each with the next seed.

    python3 tests/model/soak.py --minutes 30
    python3 tests/model/soak.py --operations 10000 --minutes 0 --seed 17      only the run of seed 17
"""
import argparse
import random
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from world import prove

PROGRESS_S = 0.5


class Progress:
    """Shows the progress of a run on a terminal; elsewhere nothing."""

    def __init__(self):
        self._ended = threading.Event()
        self._thread = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ended.set()
        if self._thread:
            self._thread.join()
            print("\r\033[K", end="", flush=True)

    def watch(self, world):
        if sys.stdout.isatty():
            self._thread = threading.Thread(target=self._show, args=[world], daemon=True)
            self._thread.start()

    def _show(self, world):
        while not self._ended.wait(PROGRESS_S):
            print(f"\r\033[K{world.progress()}"[:160], end="", flush=True)


def run(seed, operations):
    """Returns True if the run succeeded."""
    began = time.monotonic()
    print(f"seed {seed}: {operations} operations", flush=True)
    try:
        with Progress() as progress:
            happened = prove(seed, operations, progress.watch)
    except AssertionError as failure:
        print(f"seed {seed}: FAILED after {time.monotonic() - began:.0f} s\n{failure}\n"
              f"Again: {sys.executable} {sys.argv[0]} --operations {operations} --minutes 0 --seed {seed}", flush=True)
        return False
    print(f"seed {seed}: held for {time.monotonic() - began:.0f} s: {happened}", flush=True)
    return True


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--operations", type=int, default=10000, help="of each run (default 10000)")
    arguments.add_argument("--minutes", type=float, default=10, help="no run begins after that (default 10)")
    arguments.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of the first run")
    given = arguments.parse_args()
    end = time.monotonic() + given.minutes * 60
    seed = given.seed
    while run(seed, given.operations):
        seed += 1
        if time.monotonic() >= end:
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
