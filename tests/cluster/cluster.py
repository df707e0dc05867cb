"""
A whole cluster on one machine, with all files in one directory: two hosts with nginx and imd, PostgreSQL as a primary
and a synchronous standby, and a Redis Cluster.

    cluster.py STATE

runs it until SIGINT or SIGTERM.
"""
import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / room) for room in ("lib", "redis"))]

from database import Postgresql
from databases import STARTS_S, Databases, programs_of_postgresql
from programs import Program, wait_for
from servers import Redis
from stack import Stack, children, free_port, processes, wait_until

NAME = "imd"


class Host(Stack):
    """A host: nginx, imd, and its network to the servers of the database."""

    def __init__(self, state, databases, caches):
        state.mkdir()
        self._ports = [free_port() for _ in databases.each]
        ways = [f"{port}={server.port}" for port, server in zip(self._ports, databases.each)]
        self.network = Program(state / "network.log", sys.executable, HERE / "network.py", *ways)
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        uri = f"postgresql://postgres@{hosts}/{NAME}?target_session_attrs=read-write&passfile={databases.passfile}"
        super().__init__(state=state, database=Postgresql(uri),
                         env={"REDIS": " ".join(server.address for server in caches)})

    def start(self):
        self.network.start()
        wait_for(lambda: all(map(self._listens, self._ports)), STARTS_S, "the network", [self.network])
        super().start()

    @staticmethod
    def _listens(port):
        return f"0100007F:{port:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text()

    def stop(self):
        super().stop()
        self.network.end()

    def cut(self):
        self.network.send(signal.SIGUSR1)

    def mend(self):
        self.network.send(signal.SIGUSR2)

    @property
    def publishes(self):
        """Whether its relay publishes the changes of the database, rather than to stand by."""
        said = re.findall("event=relay_(ready|stands_by)", self.log())
        return bool(said) and said[-1] == "ready"

    def kill_imd(self):
        """Kills imd's master. Its other processes end with it, and serve.sh ends nginx: the host is down."""
        os.kill(self.master_pid, signal.SIGKILL)
        self.wait_down()
        self.network.end()

    def kill_nginx(self):
        """Kills all processes of nginx, and removes what blocks the next one's start."""
        # The master first, because it would restart its workers.
        mine = [self.nginx_pid, *children(self.nginx_pid)]
        for pid in mine:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not set(mine) & set(processes()), STARTS_S, "nginx is gone")
        for name in ("push.sock", "nginx.pid"):
            (self.state / name).unlink(missing_ok=True)


class Cluster:
    """Its directory is removed at a clean end of the `with` block, unless it is given or `keeps_state` was set."""

    def __init__(self, state=None):
        self.keeps_state = state is not None
        self.state = Path(state or tempfile.mkdtemp(prefix="imd-cluster-")).absolute()
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o755)  # because the servers run as another user
        self._close = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as closing:
            self.databases = Databases(self.state)
            closing.callback(self.databases.end)
            self.databases.start()
            self._create_database()
            (self.state / "redis").mkdir()
            self.redis = closing.enter_context(Redis(self.state / "redis"))
            self.caches = self.redis.cluster(replicas=1)
            self.hosts = [Host(self.state / f"host{number}", self.databases, self.caches) for number in (1, 2)]
            for host in self.hosts:
                host.start()
                closing.callback(host.stop)
            self._close = closing.pop_all()
        return self

    def __exit__(self, kind, *failure):
        self._close.__exit__(kind, *failure)
        if kind is None and not self.keeps_state:
            shutil.rmtree(self.state)

    def _create_database(self):
        primary = self.databases.primary
        Program(self.state / "createdb.log", programs_of_postgresql() / "createdb", "-h", primary.state,
                "-p", primary.port, "-U", "postgres", NAME).run()
        uri = f"postgresql://postgres@{{}}/{NAME}?target_session_attrs=read-write&passfile={self.databases.passfile}"
        # As nobody's host sees it: without a network that may be cut.
        self.database = Postgresql(uri.format(",".join(f"127.0.0.1:{server.port}" for server in self.databases.each)))

    def wait_whole(self):
        self.databases.wait_whole()


def main(state, ended):
    made_here = Path(state) / "cluster"
    if made_here.exists():
        shutil.rmtree(state)
    if Path(state).exists() and any(Path(state).iterdir()):
        sys.exit(f"cluster.py: {state} holds other files")
    Path(state).mkdir(parents=True, exist_ok=True)
    made_here.touch()
    with Cluster(state) as cluster:
        print(f"The cluster is ready (Ctrl-C stops it; its files are in {cluster.state}):")
        for host in cluster.hosts:
            print(f"  a host     {host.url}/")
        for server in cluster.databases.each:
            role = "primary" if server.is_primary else "standby"
            print(f"  {role}    psql -h {server.state} -p {server.port} -U postgres {NAME}")
        for cache in cluster.caches:
            print(f"  {'master' if cache.is_master else 'replica'} of Redis  {cache.address}")
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    main(sys.argv[1], ended)
