"""
imd's one promise, put to the test at random: SEED=1234 makes the same decisions again.
tests/model/soak.py does this for as long as one likes.
"""
import os
import random

from world import prove

OPERATIONS = 1500


def test_a_short_run():
    seed = int(os.environ.get("SEED") or random.randrange(1_000_000))
    print(f"SEED={seed}")
    print(prove(seed, OPERATIONS))
