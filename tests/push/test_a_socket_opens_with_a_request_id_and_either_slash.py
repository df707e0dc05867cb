import pytest

from chat import name
from handshake import REQUEST_ID, UPGRADE, request


@pytest.mark.parametrize("path", ["/ws/", "/ws"])
def test_a_socket_opens_with_and_without_the_slash(chat, listen, kind, stack, path):
    ann = name("ann")
    ear = listen(stack, ann, kind, path=path)
    assert REQUEST_ID.fullmatch(ear.headers["X-Request-Id"])
    conversation = chat.group(ann)
    assert len(ear.wait_for(conversation["id"], 1)) == 1


def test_each_socket_has_its_own_id(listen, kind, stack):
    ann = name("ann")
    assert len({listen(stack, ann, kind).headers["X-Request-Id"] for _ in range(3)}) == 3


@pytest.mark.parametrize("path", ["/ws/", "/ws"])
def test_the_101_has_no_internal_headers(stack, path):
    answer = request(stack, f"{path}?username={name('ann')}", UPGRADE)
    assert answer.status == 101
    assert answer.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert REQUEST_ID.fullmatch(answer.headers["x-request-id"])
    # Clients must not see internal headers.
    assert not [key for key in answer.headers if key.startswith("x-accel")]


def test_percent_encoded_names_are_decoded(chat, listen, kind, stack):
    ann = name("ann")
    ear = listen(stack, "%61" + ann[1:], kind)
    conversation = chat.group(ann)
    assert len(ear.wait_for(conversation["id"], 1)) == 1


def test_unknown_parameters_are_ignored(chat, listen, kind, stack):
    ann = name("ann")
    ear = listen(stack, f"{ann}&last_event_id=5&since=yesterday", kind)
    conversation = chat.group(ann)
    assert len(ear.wait_for(conversation["id"], 1)) == 1
