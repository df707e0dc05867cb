import pytest

from api import new_name

pytestmark = pytest.mark.usefixtures("nothing_changes")

BAD_NAMES = ["", " ", "a b", "bob\n", "\nbob", "bob\r\n", "é", "👍", "a-b", "a.b", "a/b", "a\"b", "a\\b", "a'b",
             "a\x01b", "a\x7fb", "a\u2028b", "<b>", "a,b", "x" * 21]
NOT_TYPES = ["", "chat", "PRIVATE_CHAT", "private_chat ", "group_chat\n", 7, 7.0, True, None, [], {}]


@pytest.mark.parametrize("kind", ["private_chat", "group_chat"])
@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_an_invalid_name_is_quoted(api, kind, name):
    refused = api.post("/conversations/", {"type": kind, "members": [new_name(), name]})
    refused.problem(400, f"Invalid username: {name}", field="members")


def test_a_very_long_name_is_quoted(api):
    refused = api.post("/conversations/", {"type": "group_chat", "members": ["x" * 300_000]})
    refused.problem(400, field="members")
    assert refused.json["error"].startswith("Invalid username: xxx")


@pytest.mark.parametrize("value", [7, 7.0, True, None, [], {}, ["bob"]], ids=repr)
def test_a_member_that_is_not_a_string_is_quoted(api, value):
    api.post("/conversations/", {"type": "group_chat", "members": [new_name(), value]}).problem(400, field="members")


@pytest.mark.parametrize("count", [0, 1, 3, 4, 100])
def test_a_private_chat_without_two_members_is_refused(api, count):
    members = [new_name() for _ in range(count)]
    refused = api.post("/conversations/", {"type": "private_chat", "members": members})
    refused.problem(400, "Invalid member count", field="members")


@pytest.mark.parametrize("count", [2, 3])
def test_a_private_chat_with_oneself_is_refused(api, count):
    members = [new_name()] * count
    refused = api.post("/conversations/", {"type": "private_chat", "members": members})
    refused.problem(400, "Invalid member count", field="members")


@pytest.mark.parametrize("kind", NOT_TYPES, ids=repr)
def test_an_unknown_type_is_refused(api, kind):
    members = [new_name(), new_name()]
    refused = api.post("/conversations/", {"type": kind, "members": members})
    refused.problem(400, code="invalid_type", field="type")


def test_a_missing_type_is_refused(api):
    api.post("/conversations/", {"members": [new_name()]}).problem(400, code="invalid_type", field="type")


@pytest.mark.parametrize("kind", ["private_chat", "group_chat"])
@pytest.mark.parametrize("value", ["alice", "", 7, 7.0, True, None, {}, {"0": "alice"}], ids=repr)
def test_members_that_are_not_a_list_are_refused(api, kind, value):
    refused = api.post("/conversations/", {"type": kind, "members": value})
    refused.problem(400, code="invalid_members", field="members")


def test_missing_members_are_refused(api):
    api.post("/conversations/", {"type": "group_chat"}).problem(400, code="invalid_members", field="members")
