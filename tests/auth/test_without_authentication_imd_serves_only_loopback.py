"""In mode none a name is enough, so imd serves only this machine, unless the settings say otherwise."""
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest

from alone import Directory, run
from api import Client
from handshake import UPGRADE
from sites import Host, jwt_stack
from stack import Stack, free_port
from tokens import Hs256


def outer_address():
    """Returns an address of this machine that is not loopback; None if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return None
        return probe.getsockname()[0]


ADDRESS = outer_address()
outside = pytest.mark.skipif(not ADDRESS, reason="this machine has no address but loopback")


def test_imd_does_not_start_without_a_decision():
    with Directory() as directory:
        for flags in (["--loopback-only=no"], ["--auth=none", "--loopback-only=no", "--insecure-public=no"]):
            message = directory.refused(*flags)
            assert len(message.strip().splitlines()) == 1, message
            for word in ("auth", "loopback_only", "insecure_public"):
                assert word in message.replace("-", "_"), message
            assert not directory.db.exists()
        directory.flags.remove("--loopback-only")
        assert "loopback_only" in directory.refused()


@pytest.mark.parametrize("flag", ["--loopback-only", "--loopback-only=yes", "--insecure-public",
                                  "--insecure-public=yes"])
def test_imd_starts_with_either_setting(flag):
    with Directory() as directory:
        directory.flags.remove("--loopback-only")
        assert run(*directory.flags, "--check", flag).returncode == 0


def test_the_settings_file_can_decide():
    with Directory() as directory:
        directory.flags.remove("--loopback-only")
        settings = directory.path / "imd.conf"
        settings.write_text("auth = none\nloopback_only = yes\n")
        assert run(*directory.flags, "--check", f"--config={settings}").returncode == 0
        settings.write_text("auth = none\nloopback_only = perhaps\n")
        assert "loopback_only" in directory.refused(f"--config={settings}")
        settings.write_text("auth = anyone\n")
        message = directory.refused(f"--config={settings}")
        assert all(word in message for word in ("none", "proxy", "jwt")), message


@contextmanager
def two_doors(*imd_flags, **env):
    """A stack, and a server{} of it that is open to the outside."""
    stack = Stack(imd_flags=imd_flags, env={"AUTH": "none", **env})
    host = Host(stack, address=ADDRESS or "127.0.0.1")
    with stack:
        yield stack, host


@pytest.fixture(scope="module")
def inner():
    with two_doors() as both:
        yield both


REQUESTS = [("GET", "/messages?username=ann", None), ("GET", "/conversations?id=1", None),
            ("POST", "/conversations", {"type": "group_chat", "members": ["ann"]}), ("GET", "/metrics", None),
            ("POST", "/messages", {"conversation_id": 1, "username": "ann"})]


@outside
@pytest.mark.parametrize("method, path, body", REQUESTS)
def test_requests_from_outside_are_refused(inner, method, path, body):
    _, host = inner
    with Client(host, address=ADDRESS) as client:
        client.write(method, path, body).problem(403, code="loopback_only")
        # Names and addresses claimed by the client are ignored.
        for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Host", "Server-Addr", "SERVER_ADDR"):
            client.write(method, path, body, {name: "127.0.0.1"}).problem(403, code="loopback_only")


@outside
def test_sockets_from_outside_are_refused(inner):
    _, host = inner
    with Client(host, address=ADDRESS) as client:
        for headers in (UPGRADE, {"Accept": "text/event-stream"}):
            client.request("GET", "/ws?username=ann", None, headers).problem(403, code="loopback_only")


def test_requests_from_inside_are_served(inner):
    stack, _ = inner
    with Client(stack) as client:
        client.get("/messages", username="ann").ok


def test_other_local_addresses_are_served():
    """A unix socket, and the loopback address of IPv6 if there is one."""
    stack = Stack(env={"AUTH": "none"})
    door, port = stack.state / "door.sock", free_port()
    six = f"listen [::1]:{port};" if Path("/proc/net/if_inet6").exists() else ""
    stack.add_http(f"server {{ listen unix:{door}; {six} include {stack.state}/imd-server.conf; }}")
    with stack:
        ways = [(socket.AF_UNIX, str(door)), *([(socket.AF_INET6, ("::1", port))] if six else [])]
        for family, address in ways:
            with socket.socket(family) as connection:
                connection.connect(address)
                connection.sendall(b"GET /messages?username=ann HTTP/1.0\r\n\r\n")
                assert b" 200 " in connection.makefile("rb").readline()


@outside
def test_insecure_public_serves_everybody():
    with two_doors("--insecure-public", LISTEN="0.0.0.0") as (stack, host):
        for client in (Client(host, address=ADDRESS), Client(stack, address=ADDRESS), Client(stack)):
            with client:
                client.get("/messages", username="ann").ok


def test_a_run_that_listens_on_all_addresses_must_decide(tmp_path):
    stack = Stack(state=tmp_path, env={"AUTH": "none", "LISTEN": "0.0.0.0"})
    with pytest.raises(AssertionError, match="(?s)serve.sh ended.*insecure.public"):
        stack.start()


@outside
def test_authenticated_callers_may_come_from_anywhere():
    key = Hs256()
    stack = jwt_stack(key, env={"LISTEN": "0.0.0.0"})
    with stack, Client(stack, {"Authorization": f"Bearer {key.token('ann')}"}, ADDRESS) as client:
        client.get("/messages", username="ann").ok
