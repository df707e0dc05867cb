import pytest

from api import new_name

NOT_IDS = ["0", "-1", "abc", "1.0", "1e3", "1x", "0x1", "1 ", " 1", "1\n", "9223372036854775808", "9" * 400, "١",
           "--1", "1,2", "null", "true"]


@pytest.fixture
def three(api):
    alice = new_name()
    return [api.create("group_chat", alice) for _ in range(3)]


def ids(conversations):
    return [conversation["id"] for conversation in conversations]


def test_conversations_are_in_order_of_id_whatever_the_order_of_the_query(api, three):
    first, second, third = ids(three)
    assert api.get("/conversations/", id=[third, first, second]).ok == {"conversations": three}


def test_a_duplicate_id_is_listed_once(api, three):
    first, second, _ = ids(three)
    assert api.get("/conversations/", id=[second, first, second, first, first]).ok == {"conversations": three[:2]}


def test_unknown_ids_are_left_out(api, three):
    asked = [2**63 - 1, ids(three)[1], 2**62]
    assert api.get("/conversations/", id=asked).ok == {"conversations": [three[1]]}
    assert api.get("/conversations/", id=2**62).ok == {"conversations": []}


def test_a_request_without_an_id_gets_an_empty_list(api):
    assert api.get("/conversations/").ok == {"conversations": []}


def test_a_list_shows_the_present_state(api):
    alice, bob = new_name("a"), new_name("b")
    conversation = api.group(alice, bob)
    message = api.send(conversation, alice)
    api.leave(conversation, bob)
    found = api.conversation(conversation)
    assert found["members"] == [alice]
    assert found["last_seq"] == 1
    assert found["version"] == 3
    assert found["updated_at"] > message["timestamp"] > found["created_at"]


@pytest.mark.parametrize("value", NOT_IDS, ids=lambda value: ascii(value)[:25])
def test_an_invalid_id_is_refused(api, three, nothing_changes, value):
    api.get("/conversations/", id=value).problem(400, code="invalid_id", field="id")
    api.get("/conversations/", id=[ids(three)[0], value]).problem(400, code="invalid_id", field="id")


def test_more_than_a_thousand_ids_are_refused(api, three, nothing_changes):
    asked = [ids(three)[0]] * 1000
    assert api.get("/conversations/", id=asked).ok == {"conversations": three[:1]}
    api.get("/conversations/", id=[*asked, 1]).problem(422, code="too_many_ids", field="id")


@pytest.mark.parametrize("base", [0, 2**62], ids=["small", "of_19_digits"])
def test_hundreds_of_ids_are_accepted(api, three, base):
    asked = [base + i for i in range(1, 301)] + ids(three)
    found = ids(api.get("/conversations/", id=asked).ok["conversations"])
    assert found == sorted(set(found)) and set(found) <= set(asked) and set(ids(three)) <= set(found)
