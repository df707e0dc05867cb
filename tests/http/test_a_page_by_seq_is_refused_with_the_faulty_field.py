import itertools

import pytest

from api import Client, new_name

pytestmark = pytest.mark.usefixtures("nothing_changes")

SIDES = ["after_seq", "before_seq", "around_seq"]
NOT_SEQS = ["-1", "abc", "1.5", "5.0", "1e2", "0x10", "5x", "x5", "5 ", " 5", "5\n", "--5", "٥", "null", "true", "NaN",
            "-9223372036854775808", "-" + "9" * 400]


@pytest.fixture(scope="module")
def chat(stack):
    with Client(stack) as api:
        alice = new_name()
        group = api.group(alice)
        api.send(group, alice)
        return {"conversation_id": group, "username": alice}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("value", NOT_SEQS, ids=lambda value: ascii(value)[:25])
def test_an_invalid_seq_is_refused(api, chat, side, value):
    for conversation in (chat["conversation_id"], 2**62):
        refused = api.get("/messages/", conversation_id=conversation, **{side: value})
        refused.problem(400, code=f"invalid_{side}", field=side)


def test_around_seq_zero_is_refused(api, chat):
    for value in ("0", "00"):
        refused = api.get("/messages/", conversation_id=chat["conversation_id"], around_seq=value)
        refused.problem(400, code="invalid_around_seq", field="around_seq")


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", ""])
def test_an_invalid_limit_is_refused(api, chat, side, limit):
    refused = api.get("/messages/", conversation_id=chat["conversation_id"], limit=limit, **{side: 1})
    refused.problem(400, code="invalid_limit", field="limit")


@pytest.mark.parametrize("one, other", itertools.permutations([*SIDES, "after"], 2))
def test_two_positions_are_refused(api, chat, one, other):
    refused = api.get(f"/messages/?conversation_id={chat['conversation_id']}&{one}=1&{other}=1")
    refused.problem(400, code="conflicting_parameters")
    assert refused.json["field"] in (one, other)


@pytest.mark.parametrize("side", SIDES)
def test_a_user_name_beside_a_seq_is_refused(api, chat, side):
    for query in ("username={username}&{side}=1", "{side}=1&username={username}",
                  "conversation_id={conversation_id}&username={username}&{side}=1"):
        refused = api.get("/messages/?" + query.format(side=side, **chat))
        refused.problem(400, code="conflicting_parameters")
        assert refused.json["field"] in ("username", side)


@pytest.mark.parametrize("side", SIDES)
def test_a_missing_conversation_is_refused(api, side):
    for query in ({}, {"username": ""}, {"conversation_id": ""}):
        refused = api.get("/messages/", **{side: 1}, **query)
        refused.problem(400, "Either username or conversation ID must be specified")


@pytest.mark.parametrize("side", SIDES)
def test_a_seq_given_twice_is_refused(api, chat, side):
    for values in ([1, 1], [1, 2], [1, "x"], [1, ""], ["", 1]):
        refused = api.get("/messages/", conversation_id=chat["conversation_id"], **{side: values})
        refused.problem(400, field=side)
