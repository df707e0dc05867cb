"""A failure of the model test can be repeated by its seed, and another seed makes other decisions."""
import random
from itertools import islice

from faults import KINDS, plan
from link import Odds
from users import WEIGHTS, decisions


def users_decisions(seed):
    return [(number, kind, dice.random()) for number, kind, dice in islice(decisions(seed, "ann"), 500)]


def faults_plan(seed):
    return [(operation, kind, dice.random()) for operation, kind, dice in plan(seed, 3000)]


def links_fates(seed):
    odds = Odds(random.Random(seed))
    return [odds() for _ in range(500)]


def test_equal_seeds_make_equal_decisions_and_others_differ():
    for decide in users_decisions, faults_plan, links_fates:
        assert decide(1) == decide(1) != decide(2)


def test_users_of_one_seed_make_different_decisions():
    assert list(islice(decisions(1, "ann"), 50)) != list(islice(decisions(1, "bob"), 50))


def test_a_run_has_every_kind_of_decision_and_fault():
    assert {kind for _, kind, _ in users_decisions(1)} == set(WEIGHTS)
    for operations in 500, 1500, 20000:
        kinds = [fault.kind for fault in plan(1, operations)]
        assert all(kinds.count(kind) >= 2 for kind in KINDS)
