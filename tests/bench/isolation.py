#!/usr/bin/python3
"""
Measures how much the most expensive caller slows others down, with the shipped limits.

For each kind of abuse it compares the p90 of another pair's posts, pages and pushes during the abuse and in a quiet
time before. The goal is at most three times the quiet p90 plus 20 ms. A refused request or a lost push is BROKEN. The
exit status is 1 if anything is BROKEN.
"""
import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent / "push")]

import neighbours  # noqa: E402

TIMES, PLUS_S = 3, 0.020
WHAT = ("posts", "pages", "pushes")


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def row(kind, quiet, loud):
    cells = []
    for what in WHAT:
        before, during = quiet.p90_s(what), loud.p90_s(what)
        mark = "" if during <= TIMES * before + PLUS_S else " !"
        cells.append(f"{before * 1e3:7.1f} → {during * 1e3:7.1f} ms{mark:2}")
    broken = len(loud.refused) + len(loud.lost)
    return f"{kind:<10} {'  '.join(cells)}  {'BROKEN: ' + str(broken) if broken else 'none lost'}  abuser: {loud.abuse}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="of each kind (%(default)s)")
    parser.add_argument("--only", default=",".join(neighbours.KINDS), help="which kinds (default: %(default)s)")
    chosen = parser.parse_args()
    broken = False
    print(f"{'':10} {'posts':^23}  {'pages':^23}  {'pushes':^23}  (p90: quiet → abused; '!': beyond 3 times and 20 ms)")
    for kind in chosen.only.split(","):
        progress(f"{kind}: preparing")
        with neighbours.open_street() as street:
            street.talk(1)
            progress(f"{kind}: a quiet time")
            quiet = street.talk(chosen.seconds / 4)
            progress(f"{kind}: abuse")
            loud = street.talk(chosen.seconds, kind, large=True)
        progress("")
        print(row(kind, quiet, loud), flush=True)
        broken = broken or bool(loud.refused or loud.lost)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
