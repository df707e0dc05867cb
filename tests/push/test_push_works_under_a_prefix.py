import pytest

from chat import contents, name
from handshake import UPGRADE, request
from stack import Stack


@pytest.fixture(scope="module")
def stack():
    with Stack(prefix="/chat") as stack:
        yield stack


@pytest.mark.parametrize("path", ["/ws/", "/ws"])
def test_pushes_arrive_under_a_prefix(chat, listen, kind, stack, path):
    assert stack.url.endswith("/chat")
    ann, bob = name("ann"), name("bob")
    ear = listen(stack, ann, kind, path=path)
    conversation = chat.private(ann, bob)
    chat.send(conversation, bob, "hello")
    assert contents(ear.wait_for(conversation["id"], 2)) == ["hello"]


def test_refusals_work_under_a_prefix(stack):
    request(stack, "/ws/", UPGRADE).assert_problem(400, field="username")
    request(stack, "/ws/?username=a+b", {"Accept": "text/event-stream"}).assert_problem(400, field="username")
    request(stack, "/nowhere").assert_problem(404)
    plain = request(stack, "/ws/?username=ann")
    assert 400 <= plain.status < 500
    plain.assert_problem(plain.status)
