import pytest

from chat import name


def ping(chat, username, value="true"):
    return chat.ask("GET", "/conversations/", params={"username": username, "ping": value})


def test_a_ping_pushes_an_empty_frame_to_all_sockets_of_its_user(chat, listen, stack):
    ann, bob = name("ann"), name("bob")
    conversation = chat.group(ann, bob)
    ears = [listen(stack, ann, kind) for kind in ("websocket", "eventsource")]
    other = listen(stack, bob, "websocket")
    assert ping(chat, ann).json()["conversations"][0]["id"] == conversation["id"]
    for ear in ears:
        ear.wait(lambda ear=ear: ear.frames, "the ping's frame")
    chat.send(conversation, ann, "after the ping")
    for ear in [*ears, other]:
        ear.wait_for(conversation["id"], 1)
    for ear in ears:
        assert [len(frame["events"]) for frame in ear.frames] == [0, 1]
    assert [len(frame["events"]) for frame in other.frames] == [1]


@pytest.mark.parametrize("value", ["1", "false", "TRUE", "true "])
def test_a_ping_is_true_or_absent(chat, value):
    answer = ping(chat, name("ann"), value)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_ping" and answer.json()["field"] == "ping"
