"""
While 300 posts a second go through both hosts, one part of the cluster after the other fails. Each answered post is
stored exactly once, versions and seqs have no holes, and clients that follow the recipe end with what the database
holds. The pause in answering is measured.
"""
import time

import pytest

from chat import Chat, name
from client import Client
from link import Link
from load import Load
from programs import wait_for
from stack import wait_until
from truth import OWN, Truth, differences

MEMBERS = 4
BEFORE, AFTER = 300, 600  # answers
SILENCE_S = 2  # in place of the minute after which a client asks for what it may have missed
WHOLE_S = 60
PAUSE_S, FAILOVER_S = 1, 15
# The server keeps the lock of a host that was cut off until it gives the session up.
CUT_OFF_S = 5


class Scene:
    """The posts, and a client of each member at each host."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.names = [name("user") for _ in range(MEMBERS)]
        self.conversation = Chat(cluster.hosts[0]).group(*self.names)["id"]
        self.load = Load(cluster.hosts, self.conversation, self.names)
        self.clients = [Client(host, each, Link(f"{host.ws_url}/ws/?username={each}"), silence_s=SILENCE_S)
                        for each in self.names for host in cluster.hosts]

    def play(self, fault, mend):
        """Returns the pause: the longest time without an answer, and the longest that one post took."""
        for client in self.clients:
            client.start()
        try:
            wait_until(lambda: all(client.recoveries_done for client in self.clients), WHOLE_S, "all are online")
            with self.load:
                self._wait_for(BEFORE)
                begun = time.monotonic()
                fault()
                self._wait_for(AFTER)
                mend()
                self._wait_for(AFTER)
                pause = self.load.pause_since(begun)
            self._assert_whole()
        finally:
            for client in self.clients:
                client.stop()
        print(f"no answer for {pause[0]:.2f} s; the slowest post took {pause[1]:.2f} s; "
              f"{len(self.load.answered)} posts, repeated: {dict(self.load.unanswered)}")
        return pause

    def _wait_for(self, answers):
        goal = self.load.answers() + answers
        wait_until(lambda: self.load.failures or self.load.answers() >= goal, 90, f"{answers} more posts are answered")
        assert not self.load.failures, self.load.failures[0]

    def _assert_whole(self):
        self.load.assert_stored_once(self.cluster.database)
        found = {}

        def whole():
            for client in self.clients:
                if client.failure:
                    raise client.failure
            truth = Truth(self.cluster.database)
            found.update((client, differences(truth, client, [OWN])) for client in self.clients)
            return not any(found.values())

        try:
            wait_until(whole, WHOLE_S, "every client holds what the database holds")
        except AssertionError:
            raise AssertionError({client.username: wrong[:3] for client, wrong in found.items() if wrong}) from None
        Truth(self.cluster.database).assert_sound()


@pytest.fixture
def scene(cluster):
    cluster.wait_whole()
    return Scene(cluster)


def nothing():
    """The part comes back by itself."""


@pytest.mark.parametrize("number", [0, 1])
def test_a_host_whose_imd_is_killed_pauses_nobody(scene, number):
    host = scene.cluster.hosts[number]
    assert scene.play(host.kill_imd, host.start)[0] < PAUSE_S


def test_the_publishing_host_hands_over_when_it_is_killed(scene):
    host = next(host for host in scene.cluster.hosts if host.publishes)
    other = next(each for each in scene.cluster.hosts if each is not host)

    def kill():
        host.kill_imd()
        wait_for(lambda: other.publishes, 10, "the other host publishes")

    assert scene.play(kill, host.start)[0] < PAUSE_S


@pytest.mark.parametrize("number", [0, 1])
def test_a_host_whose_nginx_is_killed_pauses_nobody(scene, number):
    host = scene.cluster.hosts[number]
    assert scene.play(host.kill_nginx, host.nginx_start)[0] < PAUSE_S


def test_the_standby_takes_over_from_a_killed_primary(scene):
    primary = scene.cluster.databases.primary
    assert scene.play(primary.kill, primary.program.start)[0] < FAILOVER_S


def test_a_killed_standby_is_given_up(scene):
    standby = scene.cluster.databases.standby
    assert scene.play(standby.kill, standby.program.start)[0] < FAILOVER_S


def test_one_of_three_etcd_may_die(scene):
    etcd = scene.cluster.databases.etcd.each[0]
    assert scene.play(etcd.kill, etcd.start)[0] < PAUSE_S


def test_a_killed_master_of_redis_delays_pushes_only(scene):
    master = next(cache for cache in scene.cluster.caches if cache.is_master)
    assert scene.play(master.kill, master.start)[0] < PAUSE_S


@pytest.mark.parametrize("number", [0, 1])
def test_a_host_cut_off_from_the_database_stops_the_other_for_a_moment(scene, number):
    host = scene.cluster.hosts[number]
    assert scene.play(host.cut, host.mend)[0] < CUT_OFF_S


def test_a_rolling_upgrade_fails_no_post(scene):
    def upgrade():
        for host in scene.cluster.hosts:
            host.stop()
            host.start()

    assert scene.play(upgrade, nothing)[0] < PAUSE_S
