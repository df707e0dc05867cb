import threading

import pytest

import fastcgi
from chat import Chat, name
from load import Load, assert_unavailable
from stack import Stack, wait_until


@pytest.fixture(scope="module")
def stack():
    with Stack(imd_flags=["--threads=8"]) as stack:
        yield stack


def writes(chat, conversation, ann):
    """One request of each kind that writes."""
    return [
        chat.ask("POST", "/messages/", json={"conversation_id": conversation["id"], "username": ann, "content": "no"}),
        chat.ask("POST", "/conversations/", json={"type": "group_chat", "members": [ann]}),
        chat.ask("POST", f"/conversations/{conversation['id']}/leave", json={"username": ann}),
    ]


def test_on_a_locked_database_writes_get_503_and_reads_succeed(stack):
    chat, ann, new = Chat(stack), name("ann"), name("new")
    conversation = chat.group(ann)
    sent = chat.send(conversation, ann, "before")
    with stack.database.writing():
        for answer in writes(chat, conversation, ann):
            assert_unavailable(answer)
        assert_unavailable(chat.ask("POST", "/conversations/", json={"type": "group_chat", "members": [new]}))
        assert chat.messages(conversation) == [sent]
        assert chat.conversation(conversation)["version"] == 2
        assert chat.ask("GET", "/messages/", params={"username": ann}).json()["messages"] == [sent]
    # Nothing was written, not even the new user, and imd recovers at once by itself.
    assert chat.conversation(conversation)["version"] == 2
    body = {"conversation_id": conversation["id"], "username": new, "content": "who?"}
    refused = chat.ask("POST", "/messages/", json=body)
    assert (refused.status_code, refused.json()["error"]) == (400, "Invalid username")
    assert chat.send(conversation, ann, "after")["seq"] == 2
    assert [answer.status_code for answer in writes(chat, conversation, ann)] == [200, 200, 200]


def test_a_write_waits_for_a_short_lock(stack):
    chat, ann = Chat(stack), name("ann")
    conversation = chat.group(ann)
    body = {"conversation_id": conversation["id"], "username": ann, "content": "patient"}
    with fastcgi.connect(stack.state / "imd.sock") as connection:
        with stack.database.writing():
            connection.sendall(fastcgi.request("POST", "/messages/", body))
            wait_until(lambda: not fastcgi.unread_bytes(connection), 10, "the request is in progress")
        assert fastcgi.answer(connection)[0] == 200
    assert [message["content"] for message in chat.messages(conversation)] == ["patient"]


def test_healthz_follows_the_lock(stack):
    chat = Chat(stack)

    def ready():
        return chat.ask("GET", "/healthz").status_code == 200

    assert ready()
    with stack.database.writing():
        chat.ask("POST", "/conversations/", json={"type": "group_chat", "members": [name("ann")]})
        answer = chat.ask("GET", "/healthz")
        assert answer.status_code == 503 and answer.headers["Content-Type"] == "application/problem+json"
    wait_until(ready, 10, "healthy again")


def test_reads_do_not_wait_behind_many_writes(stack):
    chat, ann = Chat(stack), name("ann")
    conversation = chat.group(ann)
    answers = []

    def write():
        answers.append(Chat(stack).ask("POST", "/messages/", json={
            "conversation_id": conversation["id"], "username": ann, "content": "stuck"}))

    writers = [threading.Thread(target=write) for _ in range(10)]
    with stack.database.writing():
        for writer in writers:
            writer.start()
        for _ in range(20):
            assert chat.ask("GET", "/conversations/", params={"id": conversation["id"]}).elapsed.total_seconds() < 1
        for writer in writers:
            writer.join()
    for answer in answers:
        assert_unavailable(answer)
    assert chat.messages(conversation) == []


def test_repeated_locks_under_load_lose_no_answered_message(stack):
    load = Load(stack, Chat(stack))
    with load:
        for _ in range(5):
            load.wait_answered(40)
            with stack.database.writing():
                load.chat.conversation(load.conversations[0])
        load.wait_answered(40)
    assert {failure.status for failure in load.failed} <= {503}
    load.assert_stored_once()
    stack.database.assert_whole()
