from chat import Chat, contents, name
from stack import Stack


def test_two_stacks_do_not_share_anything(listen):
    ann, bob = name("ann"), name("bob")
    with Stack() as one:
        with Stack() as other:
            assert one.port != other.port and one.state != other.state
            chats, ears = [], []
            for stack, greeting in ((one, "one"), (other, "other")):
                chat = Chat(stack)
                ears.append((listen(stack, ann), greeting))
                conversation = chat.private(ann, bob)
                chat.send(conversation, bob, greeting)
                chats.append((chat, conversation))
            for (chat, conversation), (ear, greeting) in zip(chats, ears):
                assert contents(ear.wait_for(conversation["id"], 2)) == [greeting]
                assert [message["content"] for message in chat.messages(conversation)] == [greeting]
            # Each database has its own epoch.
            assert ears[0][0].frames[0]["epoch"] != ears[1][0].frames[0]["epoch"]
        chat, conversation = chats[0]
        chat.send(conversation, bob, "alone now")
        assert contents(ears[0][0].wait_for(conversation["id"], 3)) == ["one", "alone now"]
