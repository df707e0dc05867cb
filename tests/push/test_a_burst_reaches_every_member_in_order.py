from chat import contents, name, versions

POSTS = 500
MEMBERS = 10


def test_a_burst_reaches_every_member_in_order(chat, listen, stack):
    members = [name("user") for _ in range(MEMBERS)]
    conversation = chat.group(*members)
    ears = [listen(stack, user, kind) for user, kind in zip(members, ("websocket", "eventsource") * MEMBERS)]
    sent = [f"post {number}" for number in range(POSTS)]
    for number, content in enumerate(sent):
        chat.send(conversation, members[number % MEMBERS], content)
    for ear in ears:
        events = ear.wait_for(conversation["id"], POSTS)
        assert contents(events) == sent
        assert versions(events) == list(range(2, POSTS + 2))
