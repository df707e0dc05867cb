"""One stack with the limits that imd ships, but with short timeouts: a minute on a host is a second here."""
import resource
import sys
from pathlib import Path

import pytest

# pytest's importlib mode puts no test directory on the path. The tests use helpers of this room and
# of tests/push.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "push")]
pytest.register_assert_rewrite("slow", "handshake")

from stack import Stack

# nginx's defaults, which only the host can change: 60 s and 75 s.
HOST = "client_header_timeout 1s; keepalive_timeout 1s;"
# What imd sets for its own locations, in two files: the shipped text, and its replacement here.
# send_timeout must stay shorter than the interval of pings, as shipped.
OWN = {
    "client_body_timeout 20s;": "client_body_timeout 1s;",
    "limit_conn imd_in_hand 1000;": "limit_conn imd_in_hand 100;",
    "send_timeout 20s;": "send_timeout 1s;",
    "send_timeout 10s;": "send_timeout 500ms;",
    "nchan_websocket_ping_interval 25s;": "nchan_websocket_ping_interval 1s;",
    "nchan_eventsource_ping_interval 25s;": "nchan_eventsource_ping_interval 1s;",
}
# These tests are about nginx's limits, so imd's own limit by user is lifted.
NO_LIMIT_OF_IMD = ["--user-rate=1000000", "--user-burst=1000000"]


@pytest.fixture(scope="session", autouse=True)
def descriptors():
    """Raises the limit of open files, for thousands of sockets. nginx inherits it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@pytest.fixture(scope="session")
def stack():
    """A stack with fewer threads of imd than any test has slow clients."""
    with Stack(nginx_workers=2, http_extra=HOST, env={"LIMITS": "1"},
               imd_flags=["--threads=8", *NO_LIMIT_OF_IMD]) as impatient:
        files = {path: path.read_text() for path in map(impatient.state.joinpath, ("imd-server.conf", "imd-request.conf"))}
        for shipped, here in OWN.items():
            assert [text.count(shipped) for text in files.values()].count(1) == 1, shipped
            files = {path: text.replace(shipped, here) for path, text in files.items()}
        for path, text in files.items():
            path.write_text(text)
        impatient.nginx_reload()
        yield impatient
