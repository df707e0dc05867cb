"""
Redis hangs for half a minute, or loses a count of listeners. Posts are answered, and every client ends with every
message.
"""
import statistics

import pytest

from chat import name
from hosts import Hosts, Talk
from stack import wait_until

HANGS_S = 30
# imd asks nchan about a user 10 s after the user's last subscription, and no sooner.
ASKED_AFTER_S = 12


@pytest.mark.parametrize("kind", ["cluster_of_one", "server"])
def test_half_a_minute_without_an_answer_delays_pushes_only(redis, kind):
    server = getattr(redis, kind)()
    with Hosts([server], nginx_workers=2) as hosts:
        ann, bob = name("ann"), name("bob")
        conversation = hosts.chat.group(ann, bob)
        with hosts.clients([ann, bob]) as clients:
            with Talk(hosts, conversation, ann) as talk:
                before = talk.go_on_for(3)
                server.freeze()
                during = talk.go_on_for(HANGS_S)
                server.thaw()
                hosts.wait_ready()
                talk.wait_for(20)
            hosts.assert_whole(clients)
        assert not talk.unanswered
        assert statistics.median(during) < 3 * statistics.median(before) + 0.01
        assert "event=push_dropped" not in hosts.stack.log()


def test_a_listener_whose_count_was_lost_is_published_to(redis, listen):
    server = redis.cluster_of_one()
    with Hosts([server]) as hosts:
        ann, bob = name("ann"), name("bob")
        conversation = hosts.chat.group(ann, bob)
        socket = listen(hosts.other, bob)
        server.kill()
        server.start()
        hosts.wait_ready()
        with Talk(hosts, conversation, ann) as talk:
            talk.go_on_for(ASKED_AFTER_S)
            wait_until(lambda: "event=push_through_redis" in hosts.stack.log(), 20, "imd has asked nchan")
        last = hosts.chat.send(conversation, ann, "the last message")
        socket.wait(lambda: any(event.get("message") == last for event in socket.events), "the last message")
