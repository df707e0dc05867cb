"""With Redis a push reaches both kinds of sockets at both hosts, complete and in order, and nothing is pushed twice."""
import itertools
from concurrent.futures import ThreadPoolExecutor

from chat import contents, name, versions
from listeners import Audience
from stack import wait_until

BURST = 300


def listen_everywhere(listen, hosts, user):
    return [listen(host, user, kind) for host, kind in itertools.product(hosts.each, sorted(Audience.KINDS))]


def test_posts_at_either_host_reach_sockets_at_both(two_hosts, listen):
    ann, bob = name("ann"), name("bob")
    conversation = two_hosts.chat.group(ann, bob)
    two_hosts.chat.settle()
    listeners = listen_everywhere(listen, two_hosts, bob)
    for host in two_hosts.each:
        two_hosts.chat.url = host.url
        two_hosts.chat.send(conversation, ann, f"from {host.port}")
    two_hosts.chat.url = two_hosts.stack.url
    for listener in listeners:
        events = listener.wait_for(conversation["id"], 2)
        assert contents(events) == [f"from {host.port}" for host in two_hosts.each]


def test_a_burst_comes_whole_and_in_order(two_hosts, listen):
    ann, bob = name("ann"), name("bob")
    conversation = two_hosts.chat.group(ann, bob)
    two_hosts.chat.settle()
    listeners = listen_everywhere(listen, two_hosts, bob)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: two_hosts.chat.send(conversation, ann, str(number)), range(BURST)))
    for listener in listeners:
        seen = versions(listener.wait_for(conversation["id"], BURST, timeout_s=30))
        assert seen == list(range(2, BURST + 2))


def test_typing_at_one_host_is_pushed_at_the_other(two_hosts, listen):
    ann, bob = name("ann"), name("bob")
    conversation = two_hosts.chat.group(ann, bob)
    two_hosts.chat.settle()
    listeners = listen_everywhere(listen, two_hosts, bob)

    # A typing event is not repeated: if nchan does not take it at once, it is lost.
    def everybody_is_told():
        two_hosts.chat.ask("POST", f"/conversations/{conversation['id']}/typing", json={"username": ann})
        return all(listener.about(conversation["id"]) for listener in listeners)

    wait_until(everybody_is_told, 30, "each socket has received it")
    for listener in listeners:
        for event in listener.about(conversation["id"]):
            assert (event["event"], event["username"]) == ("typing", ann)


def test_presence_sees_the_sockets_of_both_hosts(two_hosts, listen):
    ann, bob, cleo = name("ann"), name("bob"), name("cleo")
    conversation = two_hosts.chat.group(ann, bob, cleo)
    assert online(two_hosts, conversation) == []
    listen(two_hosts.stack, ann)
    listen(two_hosts.other, bob)
    wait_until(lambda: online(two_hosts, conversation) == sorted([ann, bob]), 15, "both are online")


def test_presence_forgets_a_socket_that_closed_at_the_other_host(two_hosts, listen):
    ann = name("ann")
    conversation = two_hosts.chat.group(ann, name("bob"))
    socket = listen(two_hosts.other, ann)
    wait_until(lambda: online(two_hosts, conversation) == [ann], 15, "ann is online")
    socket.close()
    wait_until(lambda: online(two_hosts, conversation) == [], 15, "ann is offline")


def online(hosts, conversation):
    return hosts.chat.ask("GET", f"/conversations/{conversation['id']}/presence").json()["online"]
