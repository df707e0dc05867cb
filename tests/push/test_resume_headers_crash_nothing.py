"""
A client that resumes from a message id can crash a worker of nginx (nchan before 1.3.7). imd's configuration prevents
that: such a subscription starts fresh or is refused, and other clients are unaffected.
"""
import itertools

import pytest

from chat import name
from handshake import UPGRADE, request
from stack import children

HEADERS = {
    "Last-Event-ID": ["0", "1", "-1", "1:0", "1700000000:0", "99999999999:99", "0:-1", "1700000000:0,1:0", "x", "",
                      "1700000000:[0],0", "9" * 300],
    "If-None-Match": ["0", "-1", "x", "1:2", '"0"', "*", "", "9" * 300],
    "If-Modified-Since": ["0", "Thu, 01 Jan 1970 00:00:00 GMT", "Wed, 21 Oct 2037 07:28:00 GMT", "x", ""],
}
SINGLE = [{key: value} for key, values in HEADERS.items() for value in values]
PAIRS = [{"If-None-Match": etag, "If-Modified-Since": since}
         for etag, since in itertools.product(HEADERS["If-None-Match"][:4], HEADERS["If-Modified-Since"][:3])]
ALL = [{key: values[1] for key, values in HEADERS.items()}]
KINDS = {"websocket": UPGRADE, "eventsource": {"Accept": "text/event-stream"}}


@pytest.mark.parametrize("kind_of_socket", KINDS)
def test_resume_headers_crash_no_worker(chat, listen, stack, kind_of_socket):
    ann, bob = name("ann"), name("bob")
    ears = [listen(stack, ann, kind) for kind in ("websocket", "eventsource")]
    conversation = chat.private(ann, bob)
    before = children(stack.nginx_pid)
    for number, headers in enumerate(SINGLE + PAIRS + ALL):
        # One message is in the buffer, and another one comes while the client is connected: either
        # has crashed nginx.
        chat.send(conversation, bob, f"number {number}")
        answer = request(stack, f"/ws/?username={ann}", {**KINDS[kind_of_socket], **headers})
        if answer.status >= 400:
            answer.assert_problem(400)
        else:
            assert answer.status in (101, 200)
    assert children(stack.nginx_pid) == before
    for ear in ears:
        assert len(ear.wait_for(conversation["id"], 1 + number + 1)) == number + 2
        assert ear.ended is None


def test_a_resumed_stream_starts_at_the_present(chat, listen, stack):
    ann, bob = name("ann"), name("bob")
    conversation = chat.private(ann, bob)
    first = listen(stack, ann, "eventsource")
    chat.send(conversation, bob, "the past")
    first.wait_for(conversation["id"], 1)
    again = listen(stack, ann, "eventsource", headers={"Last-Event-ID": "1:0"})
    chat.send(conversation, bob, "now")
    assert [event["message"]["content"] for event in again.wait_for(conversation["id"], 1)] == ["now"]
