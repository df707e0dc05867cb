import pytest

from chat import name


@pytest.fixture
def ann():
    return name("ann")


@pytest.fixture
def bob():
    return name("bob")


def assert_silent(chat, ear, user, conversation):
    """The fence comes after everything pushed before it, so nothing of the conversation may precede it."""
    before = chat.conversation(conversation)
    chat.fence(ear, user)
    assert ear.about(conversation["id"]) == []
    assert chat.conversation(conversation) == before == conversation


def test_joining_again_pushes_nothing(chat, listen, kind, stack, ann, bob):
    conversation = chat.group(ann, bob)
    ear = listen(stack, ann, kind)
    chat.join(conversation, bob)
    chat.join(conversation, ann)
    assert_silent(chat, ear, ann, conversation)


def test_leaving_as_a_stranger_pushes_nothing(chat, listen, kind, stack, ann, bob):
    chat.group(bob)
    conversation = chat.group(ann)
    ear = listen(stack, ann, kind)
    chat.leave(conversation, bob)
    assert_silent(chat, ear, ann, conversation)


def test_creating_the_same_private_chat_again_pushes_nothing(chat, listen, kind, stack, ann, bob):
    conversation = chat.private(ann, bob)
    ear = listen(stack, ann, kind)
    assert chat.private(ann, bob) == chat.private(bob, ann) == conversation
    assert_silent(chat, ear, ann, conversation)


def test_refused_requests_push_nothing(chat, listen, kind, stack, ann, bob):
    eve = name("eve")
    chat.group(eve)
    group, private = chat.group(ann, bob), chat.private(ann, bob)
    ear = listen(stack, ann, kind)
    refused = [
        ("/messages/", {"conversation_id": group["id"], "username": eve, "content": "no member"}, 403),
        ("/messages/", {"conversation_id": group["id"], "username": name("new"), "content": "nobody"}, 400),
        ("/messages/", {"conversation_id": group["id"], "username": ann, "content": 7}, 400),
        ("/messages/", {"conversation_id": group["id"], "username": ann, "content": "x" * 65537}, 413),
        ("/messages/", {"conversation_id": 2**63 - 1, "username": ann, "content": "nowhere"}, 400),
        ("/conversations/", {"type": "private_chat", "members": [ann, ann]}, 400),
        ("/conversations/", {"type": "private_chat", "members": [ann, bob, eve]}, 400),
        ("/conversations/", {"type": "group_chat", "members": [ann, "not a name"]}, 400),
        (f"/conversations/{private['id']}/join", {"username": eve}, 403),
        (f"/conversations/{private['id']}/leave", {"username": ann}, 403),
        (f"/conversations/{group['id']}/join", {"username": name("new")}, 404),
    ]
    for path, body, status in refused:
        answer = chat.ask("POST", path, json=body)
        assert answer.status_code == status, (path, body, answer.text)
    for conversation in (group, private):
        assert_silent(chat, ear, ann, conversation)
    # Only the fences came: a conversation and a message each.
    assert len(ear.events) == 4


def test_reads_push_nothing(chat, listen, kind, stack, ann, bob):
    conversation = chat.group(ann, bob)
    ear = listen(stack, ann, kind)
    chat.conversation(conversation)
    chat.messages(conversation)
    assert chat.ask("GET", "/messages/", params={"username": ann}).status_code == 200
    assert_silent(chat, ear, ann, conversation)
