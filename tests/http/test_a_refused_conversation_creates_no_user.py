"""Creating a conversation creates the users that it names, but only if it succeeds."""
import pytest

from api import new_name


@pytest.mark.parametrize("kind, others", [
    ("group_chat", ["bad name"]),
    ("group_chat", [7]),
    ("private_chat", ["bad name"]),
    ("private_chat", []),
    ("private_chat", ["bob", "carol"]),
    ("nonsense", ["bob"]),
])
def test_a_refused_conversation_creates_no_user(api, nothing_changes_after, kind, others):
    group = api.group(new_name())
    stranger = new_name()
    with nothing_changes_after():
        api.post("/conversations/", {"type": kind, "members": [stranger, *others]}).problem(400)
        body = {"username": stranger}
        api.post(f"/conversations/{group}/join", body).problem(404, "Invalid username", field="username")
        message = {"conversation_id": group, "username": stranger, "content": ""}
        api.post("/messages/", message).problem(400, "Invalid username", field="username")
