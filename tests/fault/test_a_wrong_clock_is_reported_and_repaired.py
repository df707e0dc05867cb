"""
imd ran once with a clock a year ahead. Ticks never go back, so everything stored later is dated a year ahead too,
even with the right clock. The log, /metrics and /healthz report that, and imctl repair-clock repairs it.
"""
import contextlib
import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from alone import Directory, program
from stack import SANITIZER_REPORTS, wait_until

pytestmark = pytest.mark.sqlite_only("the test reads and repairs the file")

YEAR_S = 366 * 86400
SOURCE = Path(__file__).with_name("wrong_clock.c")
ALWAYS = 2**63 - 1  # membership.active_at of large groups, which is not a time
TIMES = {"instance": ["tick"], "account": ["created_at"], "conversation": ["created_at", "updated_at", "listed_at"],
         "membership": ["left_at", "since_at", "active_at"], "read_marker": ["moved_at"],
         "message": ["timestamp", "edited_at", "deleted_at"]}


@pytest.fixture(scope="module")
def ahead(tmp_path_factory):
    library = tmp_path_factory.mktemp("clock") / "wrong_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "WRONG_CLOCK_AHEAD_S": str(YEAR_S),
            "ASAN_OPTIONS": "verify_asan_link_order=0"}


def two_years(ahead):
    return ahead | {"WRONG_CLOCK_AHEAD_S": str(2 * YEAR_S)}


def end(imd):
    os.kill(imd.pid, signal.SIGTERM)
    assert imd.wait_end() == 0


def must(imd, method, target, body=None):
    status, text = imd.ask(method, target, body)
    assert status == 200, (method, target, status, text)
    return json.loads(text)


def send(imd, group, who="ann", content="hello"):
    return must(imd, "POST", "/messages/", {"conversation_id": group, "username": who, "content": content})


def everything_happens(imd, stem):
    """Makes changes that write each kind of time."""
    group = must(imd, "POST", "/conversations/", {"type": "group_chat", "members": ["ann", "bob", stem]})["id"]
    sent = [send(imd, group, content=f"{stem} {number}")["id"] for number in range(5)]
    must(imd, "PATCH", f"/messages/{sent[0]}", {"username": "ann", "content": "edited"})
    must(imd, "DELETE", f"/messages/{sent[1]}?username=ann")
    must(imd, "PUT", f"/messages/{sent[2]}/reactions/%F0%9F%91%8D?username=bob")
    must(imd, "PUT", f"/conversations/{group}/read", {"username": "bob", "seq": 3})
    must(imd, "POST", f"/conversations/{group}/leave", {"username": stem})
    return group


def read(path):
    """Returns (times by place, everything else) of the whole database."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        times, rest = {}, {}
        for table, columns in TIMES.items():
            for number, row in enumerate(database.execute(f"SELECT * FROM {table} ORDER BY 1, 2")):
                for column in row.keys():
                    value = row[column]
                    if column not in columns:
                        rest[table, number, column] = value
                    elif value is not None and value != ALWAYS:
                        times[table, number, column] = value
        rest["reactions"] = [tuple(row) for table in ("reaction_set", "reaction")
                             for row in database.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]
        rest.pop(("instance", 0, "epoch"))
        return times, rest


def epoch(path):
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT epoch FROM instance").fetchone()[0]


def assert_order_stays(before, after, now_ms):
    """
    Asserts that right times are unchanged, that the later of two times still is later, and that equal times are equal.
    """
    assert {place: at for place, at in before.items() if at <= now_ms} == \
        {place: at for place, at in after.items() if before[place] <= now_ms}
    places = sorted(before, key=before.get)
    for one, other in zip(places, places[1:]):
        assert (before[one] < before[other]) == (after[one] < after[other]), (one, other)
        assert (before[one] == before[other]) == (after[one] == after[other]), (one, other)


def imctl(*arguments):
    done = subprocess.run([Path(program()).with_name("imctl"), *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)
    assert not [report for report in SANITIZER_REPORTS if report in done.stderr], done.stderr
    return done


def on_a_terminal(answer, *arguments):
    """Runs imctl as a user at a terminal does; returns its status and its whole output."""
    leader, terminal = pty.openpty()
    process = subprocess.Popen([Path(program()).with_name("imctl"), *arguments], stdin=terminal, stdout=terminal,
                               stderr=terminal)
    os.close(terminal)
    os.write(leader, answer)
    shown = b""
    with contextlib.suppress(OSError):  # the terminal's end
        while piece := os.read(leader, 4096):
            shown += piece
    os.close(leader)
    return process.wait(60), shown.decode()


@pytest.fixture
def wrong(ahead):
    """
    A directory whose database has changes with right times, changes a year ahead, and later ones that count on from
    there.
    """
    with Directory() as directory:
        imd = directory.start()
        everything_happens(imd, "before")
        end(imd)
        imd = directory.start(env=ahead)
        everything_happens(imd, "ahead")
        end(imd)
        imd = directory.start()
        everything_happens(imd, "after")
        end(imd)
        yield directory


def test_log_metrics_and_healthz_report_a_clock_that_is_behind(wrong):
    imd = wrong.start()
    # Until the relay has begun, /healthz says 503.
    wait_until(lambda: imd.ask("GET", "/healthz")[0] == 200, 20, "the relay runs")
    health = wait_until(lambda: (found := must(imd, "GET", "/healthz"))["clock_behind_s"] and found, 10, "it is noticed")
    assert health["status"] == "ok" and YEAR_S - 600 < health["clock_behind_s"] <= YEAR_S + 600
    status, text = imd.ask("GET", "/metrics")
    (told,) = re.findall(r"^imd_clock_behind_seconds (\d+)$", text.decode(), re.M)
    assert status == 200 and abs(int(told) - health["clock_behind_s"]) < 60
    assert "event=clock_behind" in imd.log()
    end(imd)


def test_a_right_clock_is_not_reported(ahead):
    with Directory() as directory:
        imd = directory.start()
        everything_happens(imd, "now")
        wait_until(lambda: (directory.path / "imd.db-witness").stat().st_mtime > time.time() - 5, 10, "a round is done")
        status, text = imd.ask("GET", "/metrics", None)
        assert status == 200 and "imd_clock_behind_seconds 0\n" in text.decode()
        assert "event=clock_behind" not in imd.log()
        end(imd)


def test_a_repair_keeps_order_numbers_and_contents(wrong):
    before, rest = read(wrong.db)
    known = epoch(wrong.db)
    now_ms = int(time.time() * 1000)
    assert max(before.values()) > now_ms + (YEAR_S - 600) * 1000
    done = imctl("repair-clock", f"--database={wrong.db}", "--yes")
    assert done.returncode == 0, done
    assert "10 messages lie ahead" in done.stdout and "Done." in done.stdout
    assert Path(f"{wrong.db}-witness").stat().st_mode & 0o777 == 0o640
    after, rest_after = read(wrong.db)
    assert rest_after == rest
    assert epoch(wrong.db) != known
    assert max(after.values()) <= time.time() * 1000
    assert_order_stays(before, after, now_ms)
    imd = wrong.start()
    group = everything_happens(imd, "again")
    sent = send(imd, group)
    assert abs(sent["timestamp"] - time.time() * 1000) < 60000
    wait_until(lambda: imd.ask("GET", "/healthz")[0] == 200, 20, "the relay runs")
    assert must(imd, "GET", "/healthz")["clock_behind_s"] == 0
    assert must(imd, "GET", "/conversations/?username=ann")["conversations"][0]["id"] == group
    end(imd)


@pytest.mark.parametrize("last", ["edit", "delete"])
def test_a_clock_that_jumped_twice_puts_nothing_before_the_last_right_change(ahead, last):
    """
    The wrong times span a year. There is no room for a year before now, so the first ones follow closely on the right
    ones.
    """
    with Directory() as directory:
        imd = directory.start()
        group = everything_happens(imd, "before")
        sent = send(imd, group)["id"]
        time.sleep(0.05)  # so that the last right change is some ticks after the last right message
        if last == "edit":
            must(imd, "PATCH", f"/messages/{sent}", {"username": "ann", "content": "edited"})
        else:
            must(imd, "DELETE", f"/messages/{sent}?username=ann")
        end(imd)
        right_ms = int(time.time() * 1000)
        for env in (ahead, two_years(ahead)):
            imd = directory.start(env=env)
            send(imd, group)  # the conversation no longer holds the time of the last right change
            everything_happens(imd, f"at{env['WRONG_CLOCK_AHEAD_S']}")
            end(imd)
        before, rest = read(directory.db)
        done = imctl("repair-clock", f"--database={directory.db}", "--yes")
        assert done.returncode == 0, done
        after, rest_after = read(directory.db)
        assert rest_after == rest
        assert max(after.values()) <= time.time() * 1000
        assert_order_stays(before, after, right_ms)


@pytest.mark.parametrize("how", ["option", "setting store", "setting database"])
def test_a_repair_finds_the_database_by_its_uri_or_in_the_settings(wrong, how):
    known = epoch(wrong.db)
    settings = wrong.path / "imd.conf"
    settings.write_text(f"store = sqlite:{wrong.db}\n" if how == "setting store" else f"database = {wrong.db}\n")
    where = f"--store=sqlite:{wrong.db}" if how == "option" else f"--config={settings}"
    done = imctl("repair-clock", where, "--yes")
    assert done.returncode == 0 and "Done." in done.stdout, done
    assert epoch(wrong.db) != known


def test_a_repair_of_an_unknown_engine_names_the_allowed_ones():
    done = imctl("repair-clock", "--store=mysql:/x", "--yes")
    assert done.returncode == 2, done
    assert re.fullmatch(r"imctl: store: this imd has no engine 'mysql'; allowed is sqlite:PATH"
                        r"(, postgresql://HOST/DATABASE)?\n", done.stderr), done.stderr


def test_a_second_repair_changes_nothing(wrong):
    imctl("repair-clock", f"--database={wrong.db}", "--yes")
    before = wrong.db.read_bytes()
    done = imctl("repair-clock", f"--database={wrong.db}", "--yes")
    assert done.returncode == 0 and "nothing to repair" in done.stdout
    assert wrong.db.read_bytes() == before


def test_a_repair_is_refused_while_imd_runs(wrong):
    imd = wrong.start()
    known = epoch(wrong.db)
    done = imctl("repair-clock", f"--database={wrong.db}", "--yes")
    assert done.returncode == 2 and "stop it first" in done.stderr
    assert epoch(wrong.db) == known
    end(imd)


def test_a_repair_asks_for_confirmation_on_a_terminal(wrong):
    before = read(wrong.db)
    for answer in (b"n\n", b"\n"):
        status, shown = on_a_terminal(answer, "repair-clock", f"--database={wrong.db}")
        assert status == 1 and "10 messages lie ahead" in shown and "Nothing was changed" in shown, shown
        assert read(wrong.db) == before
    status, shown = on_a_terminal(b"y\n", "repair-clock", f"--database={wrong.db}")
    assert status == 0 and "Done." in shown and " messages" in shown, shown
    assert read(wrong.db) != before


def test_a_repair_without_a_terminal_needs_the_flag_yes(wrong):
    before = read(wrong.db)
    done = imctl("repair-clock", f"--database={wrong.db}")
    assert done.returncode == 2 and "--yes" in done.stderr
    assert read(wrong.db) == before


def test_a_missing_database_is_reported():
    done = imctl("repair-clock", "--database=/nowhere/imd.db", "--yes")
    assert done.returncode == 2 and done.stderr == "imctl: /nowhere/imd.db: No such file or directory\n", done.stderr
