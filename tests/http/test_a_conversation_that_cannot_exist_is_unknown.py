"""A number beyond the last possible id is answered like an unused id: ids do not wrap."""
import pytest

from api import Client, new_name

pytestmark = pytest.mark.usefixtures("nothing_changes")

BY_SEQ = {"messages": [], "has_prev": False, "has_next": False}


@pytest.fixture(scope="module")
def group(stack):
    """A group that exists and has a message."""
    with Client(stack) as api:
        alice = new_name()
        group = api.group(alice)
        api.send(group, alice)
        return group


@pytest.fixture(params=[2**31, 2**32, 2**32 + 2**31, 2**33, 2**48, 2**62], ids=hex)
def number(group, request):
    """A number whose lower bits are the group's id."""
    return group + request.param


def test_pages_of_an_impossible_id_are_empty(api, number):
    for side in ("after_seq", "before_seq", "around_seq"):
        for seq in (1, 2**32 - 1, 2**32, 2**63 - 1):
            assert api.get("/messages/", conversation_id=number, **{side: seq}).ok == BY_SEQ
    assert api.get("/messages/", conversation_id=number).ok == {"messages": [], "has_next": False}


def test_an_impossible_id_is_left_out_of_a_list(api, number):
    assert api.get("/conversations/", id=number).ok == {"conversations": []}


def test_an_impossible_id_in_a_path_is_not_found(api, number):
    for way in ("changes", "presence"):
        api.get(f"/conversations/{number}/{way}").problem(404, "Invalid conversation ID", "invalid_conversation_id")
    for way in ("join", "leave", "typing"):
        refused = api.post(f"/conversations/{number}/{way}", {"username": "alice"})
        refused.problem(404, "Invalid conversation ID", "invalid_conversation_id")


def test_a_message_to_an_impossible_id_is_refused(api, number):
    api.submit(number, "alice").problem(400, "Invalid conversation ID", "invalid_conversation_id", "conversation_id")


@pytest.mark.parametrize("number", [2**63, 2**64, 2**64 + 1])
def test_a_number_beyond_64_bits_is_not_an_id(api, number):
    api.get("/messages/", conversation_id=number).problem(400, code="invalid_conversation_id", field="conversation_id")
    api.get("/conversations/", id=number).problem(400, code="invalid_id", field="id")
    api.get(f"/conversations/{number}/changes").problem(404, code="not_found")
    api.submit(number, "alice").problem(400, code="invalid_json")


def test_the_last_possible_id_is_unknown(api):
    assert api.get("/messages/", conversation_id=2**31 - 1, after_seq=0).ok == BY_SEQ
    api.get(f"/conversations/{2**31 - 1}/changes").problem(404, code="invalid_conversation_id")
