"""
A master of Redis dies and a replica takes over. Every client ends with every message. In a Cluster each post is
answered at the first attempt. Without one, nchan may cut connections off (docs/nginx.md).
"""
from chat import name
from hosts import Hosts, Talk
from stack import wait_until

FAILOVER_S = 30
USERS = 9  # so that each master of a Cluster owns channels of some


def assert_nobody_misses_a_message(servers, fail):
    """`fail` makes a master fail, and returns the replicas of which one is to take over. Returns unanswered posts."""
    with Hosts(servers) as hosts:
        users = [name(f"user{number}") for number in range(USERS)]
        conversation = hosts.chat.group(*users)
        with hosts.clients(users) as clients:
            with Talk(hosts, conversation, users[0]) as talk:
                replicas = fail()
                wait_until(lambda: any(replica.is_master for replica in replicas), FAILOVER_S, "a replica takes over")
                hosts.wait_ready()
                talk.wait_for(20)
            hosts.assert_whole(clients)
        assert "event=push_dropped" not in hosts.stack.log()
        return talk.unanswered


def test_sentinels_replace_a_master_that_was_killed(redis):
    master, replica = redis.under_sentinels()

    def fail():
        master.kill()
        return [replica]

    assert_nobody_misses_a_message([master, replica], fail)


def test_an_operator_replaces_a_master_that_works(redis):
    master, replica = redis.under_sentinels()

    def fail():
        redis.sentinels[0].ask("sentinel", "failover", "imd")
        return [replica]

    assert_nobody_misses_a_message([master, replica], fail)


def test_a_cluster_replaces_a_master_that_was_killed(redis):
    servers = redis.cluster(replicas=1)
    replicas = [server for server in servers if not server.is_master]

    def fail():
        next(server for server in servers if server not in replicas).kill()
        return replicas

    assert not assert_nobody_misses_a_message(servers, fail)


def test_a_replica_that_dies_delays_no_push(redis, listen):
    master, replica = redis.under_sentinels()
    with Hosts([master, replica]) as hosts:
        ann, bob = name("ann"), name("bob")
        conversation = hosts.chat.group(ann, bob)
        hosts.chat.settle()
        sockets = [listen(host, bob) for host in hosts.each]
        replica.kill()
        hosts.chat.send(conversation, ann, "a word")
        for socket in sockets:
            socket.wait_for(conversation["id"], 1)
