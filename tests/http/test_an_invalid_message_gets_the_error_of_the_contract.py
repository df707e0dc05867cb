import pytest

from api import Client, new_name

pytestmark = pytest.mark.usefixtures("nothing_changes")

NOT_IDS = ["7", "", 7.0, 1.5, True, False, None, 0, -1, [], {}, [1]]
NOT_NAMES = ["", "a b", "bob\n", "\nbob", "bob ", "é", "👍", "a-b", "a" * 21, "a" * 5000, 7, 7.0, True, None, [], {}]


@pytest.fixture(scope="module")
def chat(stack):
    with Client(stack) as api:
        alice = new_name()
        return {"conversation_id": api.group(alice), "username": alice, "content": "hello"}


def test_an_unknown_conversation_is_refused(api, chat):
    refused = api.post("/messages/", {**chat, "conversation_id": 2**62})
    refused.problem(400, "Invalid conversation ID", field="conversation_id")


@pytest.mark.parametrize("value", NOT_IDS, ids=repr)
def test_an_invalid_conversation_id_is_refused(api, chat, value):
    refused = api.post("/messages/", {**chat, "conversation_id": value})
    refused.problem(400, "Invalid conversation ID", field="conversation_id")


def test_a_missing_conversation_id_is_refused(api, chat):
    del (body := dict(chat))["conversation_id"]
    api.post("/messages/", body).problem(400, "Invalid conversation ID", field="conversation_id")


def test_the_largest_id_is_valid_and_a_larger_one_is_not(api, chat):
    refused = api.post("/messages/", {**chat, "conversation_id": 2**63 - 1})
    refused.problem(400, "Invalid conversation ID", field="conversation_id")
    api.post("/messages/", {**chat, "conversation_id": 2**63}).problem(400)
    api.post("/messages/", {**chat, "conversation_id": 10**400}).problem(400)


def test_an_unknown_user_is_refused(api, chat):
    api.post("/messages/", {**chat, "username": new_name()}).problem(400, "Invalid username", field="username")


def test_user_names_are_case_sensitive(api, chat):
    refused = api.post("/messages/", {**chat, "username": chat["username"].upper()})
    refused.problem(400, "Invalid username", field="username")


@pytest.mark.parametrize("value", NOT_NAMES, ids=lambda value: repr(value)[:25])
def test_an_invalid_user_name_is_refused(api, chat, value):
    api.post("/messages/", {**chat, "username": value}).problem(400, "Invalid username", field="username")


def test_a_missing_user_name_is_refused(api, chat):
    del (body := dict(chat))["username"]
    api.post("/messages/", body).problem(400, "Invalid username", field="username")


@pytest.mark.parametrize("value", [7, 7.0, True, None, [], {}, ["hello"]], ids=repr)
def test_a_content_that_is_not_a_string_is_refused(api, chat, value):
    api.post("/messages/", {**chat, "content": value}).problem(400, field="content")
