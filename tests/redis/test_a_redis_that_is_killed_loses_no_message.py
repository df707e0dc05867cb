"""Redis is killed and comes back empty. Posts are answered all the time, and every client ends with every message."""
import contextlib
import http.client
import select
import statistics

import requests

from chat import name
from hosts import Hosts, Talk, ask_nchan
from stack import wait_until

CONNECT_S = 1  # nchan_redis_connect_timeout


def test_clients_that_follow_the_recipe_end_with_the_database(redis, listen):
    server = redis.cluster_of_one()
    with Hosts([server]) as hosts:
        ann, bob = name("ann"), name("bob")
        conversation = hosts.chat.group(ann, bob)
        sockets = [listen(host, bob) for host in hosts.each]
        with hosts.clients([ann, bob]) as clients:
            with Talk(hosts, conversation, ann) as talk:
                before = talk.go_on_for(2)
                server.kill()
                wait_until(lambda: ask_nchan(hosts.stack) == 503, 10, "nchan has noticed")
                during = talk.go_on_for(3)
                assert_subscription_is_refused(hosts)
                server.start()
                hosts.wait_ready()
                talk.wait_for(20)
            hosts.assert_whole(clients)
        assert not talk.unanswered
        assert statistics.median(during) < 3 * statistics.median(before) + 0.01
        assert "event=push_dropped" not in hosts.stack.log()
        for socket in sockets:
            assert socket.ended is None
        # Both hosts have subscribed again, so these sockets receive all messages posted from now
        # on.
        last = hosts.chat.send(conversation, ann, "the last message")
        for socket in sockets:
            socket.wait(lambda: any(event.get("message") == last for event in socket.events), "the last message")


def assert_subscription_is_refused(hosts):
    """Sockets that are open stay open, but no new ones open. nchan answers, so without a problem in JSON."""
    for host in hosts.each:
        answer = requests.get(f"{host.url}/ws/?username={name('late')}", headers={"Accept": "text/event-stream"})
        assert answer.status_code == 503


def test_nginx_closes_no_connection_but_those_to_redis(redis):
    """
    Without a Cluster, nchan closes other connections too: it closes a descriptor twice that nginx has reused meanwhile.
    """
    server = redis.cluster_of_one()
    with Hosts([server]) as hosts, contextlib.ExitStack() as closing:
        ann, bob = name("ann"), name("bob")
        conversation = hosts.chat.group(ann, bob)
        server.kill()
        clients = [closing.enter_context(contextlib.closing(http.client.HTTPConnection("127.0.0.1", hosts.stack.port)))
                   for _ in range(6)]
        for client in clients:
            client.request("GET", "/im/imd.js")
            assert client.getresponse().read()
        with Talk(hosts, conversation, ann) as talk:
            talk.go_on_for(CONNECT_S + 1)
        assert not talk.unanswered
        assert select.select([client.sock for client in clients], [], [], 0)[0] == []
