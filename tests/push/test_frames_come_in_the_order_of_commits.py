import threading

from chat import Chat, name, versions

SENDERS = 8
EACH = 40


def test_frames_come_in_the_order_of_commits(chat, listen, kind, stack):
    users = [name("user") for _ in range(SENDERS)]
    conversations = [chat.group(*users) for _ in range(3)]
    ears = [listen(stack, user, kind) for user in users[:2]]
    refused = []

    def send(user):
        try:
            mine = Chat(stack)
            for number in range(EACH):
                mine.send(conversations[number % len(conversations)], user, f"{user} {number}")
        except Exception as error:
            refused.append(error)

    threads = [threading.Thread(target=send, args=[user]) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not refused
    for conversation in conversations:
        stored = chat.messages(conversation)
        for ear in ears:
            events = ear.wait_for(conversation["id"], len(stored))
            assert versions(events) == list(range(2, len(stored) + 2))
            assert [event["message"] for event in events] == stored
        assert [message["seq"] for message in stored] == list(range(1, len(stored) + 1))
        # Consecutive messages of one sender are in that order.
        for user in users:
            said = [int(m["content"].split()[1]) for m in stored if m["sender"] == user]
            assert said == sorted(said)
