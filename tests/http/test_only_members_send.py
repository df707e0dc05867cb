from api import new_name

SENTENCE = "Sender is not a member of the conversation"


def test_a_send_by_a_stranger_is_refused(api, nothing_changes_after):
    alice, eve = new_name(), new_name()
    conversation = api.group(alice)
    api.group(eve)
    with nothing_changes_after():
        refuse(api, conversation, eve)


def test_a_send_by_a_former_member_is_refused_until_they_rejoin(api, nothing_changes_after):
    alice, bob = new_name(), new_name()
    conversation = api.group(alice, bob)
    api.leave(conversation, bob)
    with nothing_changes_after():
        refuse(api, conversation, bob)
    api.join(conversation, bob)
    api.send(conversation, bob)


def test_only_the_pair_of_a_private_chat_can_send(api, nothing_changes_after):
    alice, bob, eve = new_name(), new_name(), new_name()
    conversation = api.private(alice, bob)
    api.group(eve)
    api.send(conversation, alice)
    api.send(conversation, bob)
    with nothing_changes_after():
        refuse(api, conversation, eve)


def refuse(api, conversation, username):
    body = {"conversation_id": conversation, "username": username, "content": "hello"}
    api.post("/messages/", body).problem(403, SENTENCE)
