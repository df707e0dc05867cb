"""
One caller makes the most expensive requests that the shipped limits allow, while two others talk. Each of their
requests gets 200, each of their messages is pushed, and nchan's memory is never full. `make isolation` measures how
long it takes.
"""
import pytest

import neighbours

SECONDS = 4


@pytest.fixture(scope="module")
def street():
    with neighbours.open_street() as street:
        yield street


@pytest.mark.parametrize("kind", neighbours.KINDS)
def test_others_get_every_answer_and_every_push(street, kind):
    talk = street.talk(SECONDS, kind)
    assert not talk.refused, talk.refused[:3]
    assert not talk.lost, f"{len(talk.lost)} of {len(talk.posts)} never pushed: {talk.lost[:5]}"
    assert len(talk.pushes) == len(talk.posts) > 0
    assert talk.abuse.get("200", 0) > 0, talk.abuse
    assert "reason=refused" not in street.stack.log()
