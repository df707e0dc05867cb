"""`store = sqlite:PATH` names the database; `database = PATH` means the same; imd refuses a store that it cannot open."""
import json
import re
import signal

import pytest

from alone import Directory, run
from stack import wait_until

pytestmark = pytest.mark.sqlite_only("the test moves between database and store")

ALLOWED = "allowed is sqlite:PATH"
BOTH = "only one of them is allowed; database = PATH means store = sqlite:PATH"
REFUSED = [
    ("mysql://ann:secret@host/imd", f"store: this imd has no engine 'mysql'; {ALLOWED}"),
    ("memory:x", f"store: this imd has no engine 'memory'; {ALLOWED}"),
    ("SQLITE:/x", f"store: this imd has no engine 'SQLITE'; {ALLOWED}"),
    ("/var/lib/imd/imd.db", f"store: it must begin with the name of an engine and a colon; {ALLOWED}"),
    ("sqlite:", f"store: 'sqlite:' is not allowed; {ALLOWED}"),
]


@pytest.fixture
def directory():
    with Directory() as directory:
        yield directory


def without_database(directory):
    directory.flags = [flag for flag in directory.flags if not flag.startswith("--database=")]


def create(imd):
    status, group = imd.ask("POST", "/conversations/", {"type": "group_chat", "members": ["ann", "bob"]})
    assert status == 200, group


def count(imd):
    status, answer = imd.ask("GET", "/conversations/?username=ann")
    assert status == 200, answer
    return len(json.loads(answer)["conversations"])


def end(imd):
    imd.process.send_signal(signal.SIGTERM)
    assert imd.wait_end() == 0


def test_store_and_database_name_the_same_file(directory):
    imd = directory.start()
    create(imd)
    end(imd)
    without_database(directory)
    imd = directory.start(f"--store=sqlite:{directory.db}")
    assert count(imd) == 1
    assert f" store=sqlite:{directory.db} " in imd.log()
    create(imd)
    end(imd)
    settings = directory.path / "imd.conf"
    settings.write_text(f"database = {directory.db}\n")
    imd = directory.start(f"--config={settings}")
    assert count(imd) == 2
    end(imd)


@pytest.mark.parametrize("uri,sentence", REFUSED, ids=[uri for uri, _ in REFUSED])
def test_a_store_of_an_unknown_engine_is_refused_with_the_allowed_ones(directory, uri, sentence):
    without_database(directory)
    for flags in ([f"--store={uri}"], [f"--store={uri}", "--check"]):
        message = directory.refused(*flags)
        assert sentence in message and "secret" not in message, message
        assert len(message.splitlines()) == 1, message
    assert not directory.socket.exists()


@pytest.mark.parametrize("place", ["flags", "file", "both"])
def test_store_and_database_together_are_refused(directory, place):
    settings = directory.path / "imd.conf"
    settings.write_text(f"database = {directory.db}\n" + (f"store = sqlite:{directory.db}\n" if place == "file" else ""))
    if place != "flags":
        without_database(directory)
    flags = [f"--config={settings}"] if place != "flags" else []
    flags += [f"--store=sqlite:{directory.db}"] if place != "file" else []
    message = directory.refused(*flags)
    assert BOTH in message and len(message.splitlines()) == 1, message
    assert not directory.db.exists() and not directory.socket.exists()


def test_a_reload_with_a_store_of_an_unknown_engine_is_refused(directory):
    without_database(directory)
    settings = directory.path / "imd.conf"
    settings.write_text(f"store = sqlite:{directory.db}\n")
    imd = directory.start(f"--config={settings}")
    settings.write_text("store = mysql:/x\n")
    imd.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "event=reload_refused" in imd.log(), 20, "the reload is refused")
    assert "has no engine 'mysql'" in imd.log()
    create(imd)
    end(imd)


def test_the_version_lists_the_engines():
    shown = run("--version")
    assert shown.returncode == 0 and shown.stderr == ""
    assert re.fullmatch(r"imd \d+\.\d+\.\d+\nengines: sqlite(, postgresql)?\n", shown.stdout), shown.stdout
