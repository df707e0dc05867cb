"""The conversation is checked first, then its type, then the name; the answer is about the first fault."""
import pytest

from api import Client, new_name

pytestmark = [pytest.mark.usefixtures("nothing_changes"), pytest.mark.parametrize("action", ["join", "leave"])]

NOT_NAMES = ["", "bad name", "bob\n", "x" * 21, "é", 7, 7.0, True, None, [], {}]


@pytest.fixture(scope="module")
def chats(stack):
    alice, bob = new_name(), new_name()
    with Client(stack) as api:
        return {"alice": alice, "group": api.group(alice), "private": api.private(alice, bob)}


@pytest.mark.parametrize("name", [None, "bad name", "nobody_at_all"])
def test_an_unknown_conversation_is_reported_first(api, action, name):
    api.post(f"/conversations/{2**62}/{action}", {"username": name}).problem(404, "Invalid conversation ID")


@pytest.mark.parametrize("name", [None, "bad name", "nobody_at_all"])
def test_a_private_chat_is_reported_second(api, chats, action, name):
    refused = api.post(f"/conversations/{chats['private']}/{action}", {"username": name})
    refused.problem(403, f"Unable to {action} private chat")


def test_a_member_of_a_private_chat_is_refused_too(api, chats, action):
    refused = api.post(f"/conversations/{chats['private']}/{action}", {"username": chats["alice"]})
    refused.problem(403, f"Unable to {action} private chat")


def test_an_unknown_user_is_reported_third(api, chats, action):
    refused = api.post(f"/conversations/{chats['group']}/{action}", {"username": "nobody_at_all"})
    refused.problem(404, "Invalid username", field="username")


@pytest.mark.parametrize("name", NOT_NAMES, ids=repr)
def test_an_invalid_name_is_reported_third(api, chats, action, name):
    refused = api.post(f"/conversations/{chats['group']}/{action}", {"username": name})
    refused.problem(404, "Invalid username", field="username")


def test_a_missing_name_is_reported_third(api, chats, action):
    refused = api.post(f"/conversations/{chats['group']}/{action}", {"user": chats["alice"]})
    refused.problem(404, "Invalid username", field="username")


@pytest.mark.parametrize("segment", [
    "0", "-1", "abc", "1x", "1.0", "9223372036854775808", "9" * 400, "%00", "1%00", "%ff", "%F0%9F%91%8D", "1%20", "+1",
    "1%0a",
], ids=lambda value: value[:25])
def test_a_path_without_an_id_is_not_found(api, chats, action, segment):
    refused = api.post(f"/conversations/{segment}/{action}", {"username": chats["alice"]})
    # nginx itself refuses a NUL, before it looks at the path.
    refused.problem(400 if "%00" in segment else 404)
