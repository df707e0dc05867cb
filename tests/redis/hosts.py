"""Two hosts that share a Redis: the stack, and the nginx of another host in front of the same imd."""
import collections
import contextlib
import http.client
import socket
import threading
import time

from chat import Chat
from client import Client
from front import Front
from link import Link
from rest import Rest
from stack import Stack, wait_until
from truth import OWN, Truth, differences

READY_S = 20
# In place of the minute after which a client asks for what it may have missed.
SILENCE_S = 2
# From the return of Redis until every client agrees with the database.
WHOLE_S = 40
PAUSE_S = 0.02


class Hosts:
    """`servers`: all servers that nchan is to know, as an operator would list them."""

    def __init__(self, servers, nginx_workers=1):
        self.stack = Stack(env={"REDIS": " ".join(server.address for server in servers)}, nginx_workers=nginx_workers)
        self._close = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as closing:
            closing.enter_context(self.stack)
            self.other = closing.enter_context(Front(self.stack))
            self._close = closing.pop_all()
        self.each = (self.stack, self.other)
        self.chat = Chat(self.stack)
        self.wait_ready()
        return self

    def __exit__(self, *failure):
        return self._close.__exit__(*failure)

    def wait_ready(self):
        """Returns when nchan has found Redis on both hosts. Until then it refuses subscriptions."""
        for host in self.each:
            wait_until(lambda: ask_nchan(host) in (200, 404), READY_S, "nchan has found Redis")

    @contextlib.contextmanager
    def clients(self, names):
        """Clients that follow the recovery recipe: one of each user at each host."""
        clients = [Client(host, name, Link(f"{host.ws_url}/ws/?username={name}"), silence_s=SILENCE_S)
                   for name in names for host in self.each]
        for client in clients:
            client.start()
        try:
            wait_until(lambda: all(client.recoveries_done for client in clients), READY_S, "all are online")
            yield clients
        finally:
            for client in clients:
                client.stop()

    def assert_whole(self, clients):
        """Waits until every client agrees with the database."""
        found = {}

        def whole():
            for client in clients:
                if client.failure:
                    raise client.failure
            truth = Truth(self.stack.database)
            found.update((client, differences(truth, client, [OWN])) for client in clients)
            return not any(found.values())

        try:
            wait_until(whole, WHOLE_S, "every client holds what the database holds")
        except AssertionError:
            raise AssertionError({client.username: wrong[:3] for client, wrong in found.items() if wrong}) from None


def ask_nchan(host):
    """Returns the status of a question that nchan passes on to Redis."""
    connection = http.client.HTTPConnection("imd", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(10)
    connection.sock.connect(str(host.state / "push.sock"))
    try:
        connection.request("GET", "/pub", headers={"X-Channels": "nobody"})
        return connection.getresponse().status
    except OSError:  # nchan does not always answer while Redis is away
        return None
    finally:
        connection.close()


class Talk:
    """Users who post into a conversation at each host, until the end of the `with` block."""

    def __init__(self, hosts, conversation, username):
        self._ended = threading.Event()
        self._body = {"conversation_id": conversation["id"], "username": username, "content": "a word"}
        self._rests = [Rest(host.port) for host in hosts.each]
        self._taken = [[] for _ in hosts.each]  # when each post was answered, and how long that took
        self._failures = []
        self._threads = [threading.Thread(target=self._talk, args=each) for each in zip(self._rests, self._taken)]

    def _talk(self, rest, taken):
        try:
            while not self._ended.wait(PAUSE_S):
                before = time.monotonic()
                rest.ask("POST", "/messages/", self._body)
                taken.append((time.monotonic(), time.monotonic() - before))
        except BaseException as failure:
            self._failures.append(failure)

    @property
    def unanswered(self):
        """The posts that had to be sent again: {why: how many}."""
        return sum((rest.failed for rest in self._rests), collections.Counter())

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.wait_for(20)
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread, rest in zip(self._threads, self._rests):
            thread.join()
            rest.close()
        assert not self._failures, self._failures[0]

    def wait_for(self, posts):
        """Returns when this many more posts have been answered at each host."""
        goals = [len(taken) + posts for taken in self._taken]
        wait_until(lambda: self._failures or all(len(taken) >= goal for taken, goal in zip(self._taken, goals)), 90,
                   f"{posts} posts are answered at each host")
        assert not self._failures, self._failures[0]

    def go_on_for(self, seconds):
        """Talks for this long. Returns how long each post took, in seconds."""
        begun = time.monotonic()
        wait_until(lambda: self._failures or time.monotonic() - begun >= seconds, seconds + 1, "the time is over")
        assert not self._failures, self._failures[0]
        return sorted(took for taken in self._taken for at, took in taken if at - took >= begun)
