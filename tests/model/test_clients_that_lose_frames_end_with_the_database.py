"""
Checks imd's main promise with random operations and faults. SEED=1234 repeats the decisions of a run. `make soak` runs
this for longer.
"""
import os
import random

from world import prove

OPERATIONS = 1500


def test_clients_agree_with_the_database_after_random_faults():
    seed = int(os.environ.get("SEED") or random.randrange(1_000_000))
    print(f"SEED={seed}")
    print(prove(seed, OPERATIONS))
