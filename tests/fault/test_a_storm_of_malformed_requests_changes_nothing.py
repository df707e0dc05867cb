"""A short storm; `make storm` makes one as long as you like."""
import random
import sys

from stack import ROOT

sys.path.append(str(ROOT / "tests/fuzz"))

import storm


def test_a_storm():
    seed = random.SystemRandom().randrange(1_000_000)
    print(storm.prove(seed, 30_000))
