"""A short storm, with another seed each time. `make storm` runs a long one."""
import random
import sys

from stack import ROOT

sys.path.append(str(ROOT / "tests/fuzz"))

from storm import Storm  # noqa: E402

REQUESTS = 20_000


def test_a_short_storm_changes_nothing():
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"SEED={seed}")
    storm = Storm(REQUESTS, seed)
    assert storm.run(), storm.summary()
