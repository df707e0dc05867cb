#!/usr/bin/python3
"""
Runs fuzz targets, as many at once as there are processors, shows their progress, and sums up. Exits with 1 if one
fails.

    python3 tests/fuzz/run.py --seconds 60 build/fuzz/body build/fuzz/query
"""
import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SEEDS = Path(__file__).resolve().parent / "seeds"
REPORT_S = 5
# libFuzzer's progress lines.
STATUS = re.compile(r"#(\d+)\s+(\w+)\s+cov: (\d+) ft: \d+ corp: (\d+)/")


def command(target, seconds):
    corpus = target.parent / "corpus" / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    return [str(target), f"-max_total_time={seconds}", f"-artifact_prefix={target.parent}/{target.name}-",
            "-print_final_stats=1", str(corpus), str(SEEDS / target.name)]


class Run:
    def __init__(self, target, seconds):
        self.name = target.name
        self.seconds = seconds
        self.began = time.monotonic()
        self.runs = self.branches = self.inputs = 0
        self.reported = 0
        self.said = []
        self.took = None
        with subprocess.Popen(command(target, seconds), stderr=subprocess.PIPE, text=True, errors="replace") as process:
            for line in process.stderr:
                self.take(line)
        self.status = process.returncode
        self.took = time.monotonic() - self.began

    def take(self, line):
        self.said = self.said[-200:] + [line]
        found = STATUS.match(line)
        runs = re.match(r"stat::number_of_executed_units:\s*(\d+)", line)
        if found:
            self.runs, self.branches, self.inputs = int(found[1]), int(found[3]), int(found[4])
            if found[2] == "INITED" or time.monotonic() - self.reported > REPORT_S:
                self.reported = time.monotonic()
                print(f"  {self}", flush=True)
        elif runs:
            self.runs = int(runs[1])

    def __str__(self):
        took = self.took or time.monotonic() - self.began
        return (f"{self.name:8} {took:4.0f} s of {self.seconds}: {self.runs:10,} runs, {self.runs / max(took, 0.1):8,.0f}/s, "
                f"{self.branches:5} branches, {self.inputs:5} inputs that differ")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("targets", nargs="+", type=Path)
    arguments = parser.parse_args()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = list(pool.map(lambda target: Run(target, arguments.seconds), arguments.targets))
    for run in runs:
        if run.status != 0:
            print("".join(run.said) + f"fuzz {run.name}: FAILED", flush=True)
    if any(run.status != 0 for run in runs):
        sys.exit(1)
    print("fuzz: nothing found\n" + "\n".join(f"  {run}" for run in runs))


if __name__ == "__main__":
    main()
