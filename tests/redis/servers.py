"""
Redis as Debian ships it: a Cluster, of one server or more; a server without a Cluster; a master and its replica under
Sentinels. All of it on loopback.
"""
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from stack import STOP_DEADLINE_S, free_port, wait_until

START_S = 30
# In place of the half minute after which Sentinels and Clusters declare a server dead by default.
DEAD_MS = 1000


class Server:
    """One redis-server, or one Sentinel. It keeps nothing on disk but its configuration and its log."""

    def __init__(self, directory, config, sentinel):
        self.port = free_port()
        self.address = f"redis://127.0.0.1:{self.port}"
        self._state = Path(directory) / str(self.port)
        self._state.mkdir()
        self._sentinel = sentinel
        self._process = None
        lines = [f"port {self.port}", "bind 127.0.0.1", f"dir {self._state}", *config]
        (self._state / "redis.conf").write_text("\n".join(lines) + "\n")
        self.start()

    def start(self):
        command = ["redis-server", str(self._state / "redis.conf"), *(["--sentinel"] if self._sentinel else [])]
        with (self._state / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: self.ask("ping") == "PONG", START_S, f"Redis answers: {self.log()}")

    def ask(self, *words):
        """Sends one command with redis-cli, and returns the answer as text."""
        asked = subprocess.run(["redis-cli", "-p", str(self.port), *map(str, words)], capture_output=True, text=True)
        return asked.stdout.strip()

    def about_replication(self, field):
        found = re.search(rf"^{field}:(.*?)\r?$", self.ask("info", "replication"), re.M)
        return found and found.group(1)

    @property
    def is_master(self):
        return self.about_replication("role") == "master"

    @property
    def follows(self):
        """Whether it is a replica that has all that its master has."""
        return self.about_replication("master_link_status") == "up"

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def kill(self):
        self._process.kill()
        self._process.wait(STOP_DEADLINE_S)

    def log(self):
        return "\n".join((self._state / "log").read_text(errors="replace").splitlines()[-20:])


class Redis:
    """Redis servers in a directory of their own, which is removed. At the end all are killed."""

    def __init__(self, directory=None):
        self._directory = directory or tempfile.mkdtemp(prefix="imd-redis-")
        self._servers = []
        self.sentinels = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self._servers:
            server.kill()
        shutil.rmtree(self._directory)

    def server(self, *config):
        return self._add('save ""', *config)

    def _add(self, *config, sentinel=False):
        self._servers.append(Server(self._directory, config, sentinel))
        return self._servers[-1]

    def under_sentinels(self):
        """Returns a master and its replica, which three Sentinels watch."""
        master = self.server()
        replica = self.server(f"replicaof 127.0.0.1 {master.port}")
        wait_until(lambda: replica.follows, START_S, "the replica follows")
        self.sentinels = [self._add(f"sentinel monitor imd 127.0.0.1 {master.port} 2",
                                    f"sentinel down-after-milliseconds imd {DEAD_MS}",
                                    "sentinel failover-timeout imd 5000", sentinel=True) for _ in range(3)]
        wait_until(lambda: all("sentinels=3" in sentinel.ask("info", "sentinel") for sentinel in self.sentinels),
                   START_S, "the Sentinels know each other")
        return master, replica

    def _cluster_server(self, bus):
        return self.server("cluster-enabled yes", f"cluster-port {bus}", f"cluster-node-timeout {DEAD_MS}",
                           "repl-diskless-sync-delay 0")

    def cluster_of_one(self):
        server = self._cluster_server(free_port())
        server.ask("cluster", "addslotsrange", 0, 16383)
        wait_until(lambda: "cluster_state:ok" in server.ask("cluster", "info"), START_S, "a Cluster of one")
        return server

    def cluster(self, replicas):
        """Returns the servers of a Cluster of three masters, each with this many replicas."""
        buses = [free_port() for _ in range(3 * (1 + replicas))]
        servers = [self._cluster_server(bus) for bus in buses]
        addresses = [f"127.0.0.1:{server.port}@{bus}" for server, bus in zip(servers, buses)]
        subprocess.run(["redis-cli", "--cluster", "create", *addresses, "--cluster-replicas", str(replicas),
                        "--cluster-yes"], check=True, capture_output=True)
        wait_until(lambda: all("cluster_state:ok" in server.ask("cluster", "info") and
                               (server.is_master or server.follows) for server in servers), START_S, "a Cluster")
        return servers
