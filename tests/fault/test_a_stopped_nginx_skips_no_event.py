"""Changes committed while nginx is down are pushed, in order, when it is back."""
import os
import signal

from chat import Chat, name
from load import first_occurrences
from stack import Stack, wait_until

POSTS = 60


def post(chat, conversations, ann, count):
    for number in range(count):
        chat.send(conversations[number % len(conversations)], ann, f"without listeners {number}")


def assert_all_come(chat, ear, conversations):
    for conversation in conversations:
        last = chat.conversation(conversation)["version"]
        ear.wait(lambda: any(e["version"] == last for e in ear.about(conversation["id"])), "the last version")
        assert first_occurrences(ear.about(conversation["id"])) == list(range(2, last + 1))


def test_changes_are_pushed_after_the_relay_was_suspended(listen):
    with Stack() as stack:
        chat, ann, bob = Chat(stack), name("ann"), name("bob")
        conversations = [chat.private(ann, bob), chat.group(ann, bob)]
        relay = stack.relay()
        os.kill(relay, signal.SIGSTOP)
        post(chat, conversations, ann, POSTS)
        stack.nginx_stop()
        stack.nginx_start()
        ear = listen(stack, bob)
        os.kill(relay, signal.SIGCONT)
        assert_all_come(chat, ear, conversations)


def test_changes_are_pushed_after_the_relay_retried(listen):
    with Stack() as stack:
        chat, ann, bob = Chat(stack), name("ann"), name("bob")
        conversations = [chat.private(ann, bob), chat.group(ann, bob)]
        relay = stack.relay()
        os.kill(relay, signal.SIGSTOP)
        post(chat, conversations, ann, POSTS)
        stack.nginx_stop()
        said = len(stack.log())
        os.kill(relay, signal.SIGCONT)
        wait_until(lambda: f"pid={relay} " in stack.log()[said:], 10, "the relay reports a closed socket")
        # It must not deliver before a listener is there.
        os.kill(relay, signal.SIGSTOP)
        stack.nginx_start()
        ear = listen(stack, bob, "eventsource")
        os.kill(relay, signal.SIGCONT)
        assert_all_come(chat, ear, conversations)


def test_changes_are_pushed_after_the_relay_died(listen):
    """Undelivered events are in the database, so they survive the relay."""
    with Stack() as stack:
        chat, ann, bob = Chat(stack), name("ann"), name("bob")
        conversations = [chat.private(ann, bob), chat.group(ann, bob)]
        relay = stack.relay()
        os.kill(relay, signal.SIGSTOP)
        post(chat, conversations, ann, POSTS)
        ear = listen(stack, bob)
        os.kill(relay, signal.SIGKILL)
        assert_all_come(chat, ear, conversations)
