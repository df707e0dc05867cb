"""PostgreSQL as a primary and a synchronous standby under Patroni, which agrees by three etcd who is primary."""
import json
import os
import secrets
import shutil
import signal
import urllib.error
import urllib.request
from pathlib import Path

from programs import Program, wait_for
from stack import free_port

STARTS_S = 90
DCS = {"ttl": 10, "loop_wait": 2, "retry_timeout": 3, "failsafe_mode": True, "synchronous_mode": True,
       "postgresql": {"use_pg_rewind": True,
                      "parameters": {"synchronous_commit": "on", "max_connections": 100, "wal_log_hints": "on"}}}


def directory(path):
    """Creates a directory that only the user of PostgreSQL can enter."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    if os.getuid() == 0:
        shutil.chown(path, "www-data", "www-data")
    return path


def private_file(path, text):
    path.touch(mode=0o600)
    path.write_text(text)
    if os.getuid() == 0:
        shutil.chown(path, "www-data", "www-data")
    return path


def programs_of_postgresql():
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


class Etcd:
    """Three of them: one may die."""

    COUNT = 3

    def __init__(self, state):
        numbers = range(1, self.COUNT + 1)
        peers = {f"etcd{number}": f"http://127.0.0.1:{free_port()}" for number in numbers}
        self.addresses = [f"127.0.0.1:{free_port()}" for _ in numbers]
        self.each = []
        for (name, peer), address in zip(peers.items(), self.addresses):
            self.each.append(Program(
                state / f"{name}.log", "etcd", "--name", name, "--data-dir", directory(state / name),
                "--listen-client-urls", f"http://{address}", "--advertise-client-urls", f"http://{address}",
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", ",".join(f"{each}={url}" for each, url in peers.items())))

    def start(self):
        for each in self.each:
            each.start()
        wait_for(lambda: all(map(self.is_healthy, self.addresses)), STARTS_S, "etcd is healthy", self.each)

    @staticmethod
    def is_healthy(address):
        return (ask(f"http://{address}/health") or {}).get("health") == "true"


class Server:
    """One PostgreSQL and its Patroni."""

    def __init__(self, state, number, etcd, password):
        self.name = f"db{number}"
        self.state = directory(state / self.name)
        self.port, self._api = free_port(), f"127.0.0.1:{free_port()}"
        # Every JSON is YAML.
        config = private_file(self.state / "patroni.json", json.dumps(self._config(etcd, password)))
        self.program = Program(state / f"{self.name}.log", "patroni", config)

    def _config(self, etcd, password):
        users = {"username": "postgres", "password": password}
        address = f"127.0.0.1:{self.port}"
        return {
            "scope": "imd", "name": self.name, "etcd3": {"hosts": etcd.addresses},
            "restapi": {"listen": self._api, "connect_address": self._api},
            "bootstrap": {"dcs": DCS, "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}]},
            "postgresql": {
                "listen": address, "connect_address": address, "bin_dir": str(programs_of_postgresql()),
                "data_dir": str(self.state / "data"), "pgpass": str(self.state / "pgpass"),
                "authentication": {"superuser": users, "replication": users, "rewind": users},
                # Only its user can enter the directory of the unix socket.
                "parameters": {"unix_socket_directories": str(self.state)},
                "pg_hba": ["local all all trust", "host all,replication postgres 127.0.0.1/32 scram-sha-256"]}}

    def status(self):
        """Returns what Patroni says of it: {} if it does not answer."""
        return ask(f"http://{self._api}/patroni") or {}

    @property
    def is_primary(self):
        status = self.status()
        return status.get("role") in ("master", "primary") and status.get("state") == "running"

    @property
    def is_synchronous(self):
        """Whether it is a standby that the primary waits for at each commit."""
        return self.status().get("sync_standby") is True

    def kill(self):
        """Kills Patroni and PostgreSQL at once, as if the machine had lost its power."""
        self.program.send(signal.SIGSTOP)  # it must not see the server die
        pid = (self.state / "data/postmaster.pid").read_text().split()[0]
        os.kill(int(pid), signal.SIGKILL)
        self.program.kill()
        wait_for(lambda: not Path(f"/proc/{pid}").exists(), 10, "the server is gone")


def ask(url):
    """Returns the JSON at the URL, whatever the status; None if nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        try:
            return json.load(refusal)
        except ValueError:
            return None
    except (OSError, ValueError):
        return None


class Databases:
    def __init__(self, state):
        self.etcd = Etcd(state)
        password = secrets.token_hex(16)
        self.passfile = private_file(state / "passfile", f"*:*:*:postgres:{password}\n")
        self.each = [Server(state, number, self.etcd, password) for number in (1, 2)]

    def start(self):
        self.etcd.start()
        for server in self.each:
            server.program.start()
        self.wait_whole()

    def end(self):
        for server in self.each:
            server.program.end()
        for each in self.etcd.each:
            each.end()

    def wait_whole(self):
        """Returns when there is a primary and a synchronous standby."""
        wait_for(lambda: any(server.is_primary for server in self.each) and
                 any(server.is_synchronous for server in self.each), STARTS_S,
                 "a primary and a synchronous standby", [server.program for server in self.each])

    @property
    def primary(self):
        return next((server for server in self.each if server.is_primary), None)

    @property
    def standby(self):
        return next(server for server in self.each if server.is_synchronous)
