"""A user may have a phone, a laptop and ten tabs."""
from chat import name


def test_every_socket_of_a_user_receives_the_message(chat, listen, stack):
    ann = name("ann")
    ears = [listen(stack, ann, kind) for kind in ("websocket", "eventsource") * 5]
    conversation = chat.group(ann, name("bob"))
    sent = chat.send(conversation, ann, "hello")
    for ear in ears:
        assert ear.wait_for(conversation["id"], 2)[1]["message"] == sent
    ears[0].close()
    ears[1].close()
    chat.send(conversation, ann, "and on")
    for ear in ears[2:]:
        assert len(ear.wait_for(conversation["id"], 3)) == 3
