import time

from api import new_name


def test_the_answer_has_the_fields_of_the_contract(api):
    alice = new_name()
    conversation = api.group(alice)
    before_ms = time.time() * 1000
    message = api.send(conversation, alice, "hello")
    after_ms = time.time() * 1000
    assert set(message) == {"id", "conversation", "sender", "content", "timestamp", "seq"}
    assert type(message["id"]) is int and message["id"] >= 1
    # Ticks may run slightly ahead of the clock: there may be more transactions than milliseconds.
    assert type(message["timestamp"]) is int and before_ms - 1000 < message["timestamp"] < after_ms + 1000
    assert (message["conversation"], message["sender"], message["content"]) == (conversation, alice, "hello")
    assert message["seq"] == 1


def test_every_reader_gets_the_same_object(api):
    alice, bob = new_name(), new_name()
    conversation = api.group(alice, bob)
    sent = [api.send(conversation, alice, "one"), api.send(conversation, bob, "two")]
    expected = {"messages": sent, "has_next": False}
    assert api.page(conversation_id=conversation) == expected
    assert api.page(username=alice) == expected
    assert api.page(username=bob) == expected


def test_a_missing_content_is_stored_as_empty(api):
    alice = new_name()
    conversation = api.group(alice)
    message = api.post("/messages/", {"conversation_id": conversation, "username": alice}).ok
    assert message["content"] == ""
    assert api.page(conversation_id=conversation)["messages"] == [message]


def test_an_empty_content_is_accepted(api):
    alice = new_name()
    conversation = api.group(alice)
    assert api.send(conversation, alice, "")["content"] == ""
