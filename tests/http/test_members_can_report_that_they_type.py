"""The tests in tests/push check the audience of a typing event."""
import pytest

from api import new_name

NOT_NAMES = ["", "a b", "bob\n", "é", "a-b", "a" * 21, 7, True, None, [], {}]


def type_in(api, conversation, name):
    return api.post(f"/conversations/{conversation}/typing", {"username": name})


def accepted(answer):
    assert answer.status == 202, answer
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert answer.json == {"result": "success"}


@pytest.mark.parametrize("count", [1, 2, 100, 101])
def test_typing_is_accepted_and_changes_nothing(api, nothing_changes_after, count):
    names = [new_name() for _ in range(count)]
    group = api.group(*names)
    with nothing_changes_after():
        for _ in range(3):
            accepted(type_in(api, group, names[0]))
        accepted(type_in(api, group, names[-1]))


def test_typing_in_a_private_chat_is_accepted(api):
    alice, bob = new_name(), new_name()
    private = api.private(alice, bob)
    accepted(type_in(api, private, alice))
    accepted(type_in(api, private, bob))


def test_typing_of_a_stranger_is_refused(api, nothing_changes_after):
    alice, bob, stranger = new_name(), new_name(), new_name()
    group = api.group(alice, bob)
    api.group(stranger)
    api.leave(group, bob)
    with nothing_changes_after():
        for name in (bob, stranger, "nobody_at_all"):
            type_in(api, group, name).problem(403, code="not_a_member")
    api.join(group, bob)
    accepted(type_in(api, group, bob))


@pytest.mark.parametrize("name", NOT_NAMES, ids=repr)
def test_an_invalid_name_is_refused(api, name):
    type_in(api, api.group(new_name()), name).problem(400, code="invalid_username", field="username")


def test_a_missing_name_is_refused(api):
    refused = api.post(f"/conversations/{api.group(new_name())}/typing", {"user": "bob"})
    refused.problem(400, code="invalid_username", field="username")


def test_an_unknown_conversation_is_not_found(api):
    refused = type_in(api, 2**62, new_name())
    refused.problem(404, "Invalid conversation ID", "invalid_conversation_id")
