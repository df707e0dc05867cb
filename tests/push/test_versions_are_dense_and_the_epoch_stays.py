"""Versions let a client prove that it missed nothing, so every change takes exactly the next number."""
import random

from chat import name, versions


def test_versions_are_dense(chat, listen, kind, stack):
    ann, bob, eve = name("ann"), name("bob"), name("eve")
    chat.group(eve)
    ear = listen(stack, ann, kind)
    conversations = [chat.private(ann, bob), chat.group(ann, bob), chat.group(ann, eve)]
    dice = random.Random(2)
    for round_ in range(60):
        conversation = dice.choice(conversations)
        change = dice.choice([chat.send, chat.join, chat.leave])
        if change == chat.send or conversation is conversations[0]:
            chat.send(conversation, ann, f"round {round_}")
        else:
            change(conversation, eve)
    for conversation in conversations:
        now = chat.conversation(conversation)
        events = ear.wait_for(conversation["id"], now["version"])
        assert versions(events) == list(range(1, now["version"] + 1))
        said = [event["message"]["seq"] for event in events if event["event"] == "message.created"]
        assert said == list(range(1, now["last_seq"] + 1))


def test_the_epoch_stays_the_same(chat, listen, stack):
    ann, bob = name("ann"), name("bob")
    ears = [listen(stack, user, kind) for user in (ann, bob) for kind in ("websocket", "eventsource")]
    for conversation in (chat.private(ann, bob), chat.group(ann, bob)):
        chat.send(conversation, ann, "hello")
        for ear in ears:
            ear.wait_for(conversation["id"], 2)
    assert len({frame["epoch"] for ear in ears for frame in ear.frames}) == 1
