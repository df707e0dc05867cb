import os
import signal
import time

from alone import Directory
from stack import wait_until


def test_the_number_of_workers_follows_the_settings():
    with Directory() as directory:
        settings = directory.path / "imd.conf"
        settings.write_text("processes = 1\n")
        imd = directory.start(f"--config={settings}")
        assert len(imd.workers()) == 1
        settings.write_text("processes = 3\n")
        os.kill(imd.pid, signal.SIGHUP)
        wait_until(lambda: len(imd.workers()) == 3, 15, "three workers")
        settings.write_text("processes = 1\n")
        os.kill(imd.pid, signal.SIGHUP)
        wait_until(lambda: len(imd.workers()) == 1, 15, "one worker")
        assert imd.ask("GET", "/conversations/?id=1")[0] == 200


def test_a_setting_that_needs_a_restart_is_named_and_kept():
    with Directory() as directory:
        settings = directory.path / "imd.conf"
        settings.write_text("processes = 1\nsocket_mode = 0660\n")
        imd = directory.start(f"--config={settings}")
        settings.write_text("processes = 2\nsocket_mode = 0600\n")
        os.kill(imd.pid, signal.SIGHUP)
        wait_until(lambda: len(imd.workers()) == 2 and "event=reloaded" in imd.log(), 15, "two workers")
        assert "event=restart_needed settings=socket_mode\n" in imd.log()
        assert directory.socket.stat().st_mode & 0o777 == 0o660
        os.kill(imd.pid, signal.SIGTERM)
        assert imd.wait_end() == 0


def test_a_reload_without_such_a_change_asks_for_no_restart():
    with Directory() as directory:
        settings = directory.path / "imd.conf"
        settings.write_text("processes = 1\n")
        imd = directory.start(f"--config={settings}")
        settings.write_text("processes = 1\nthreads = 4\nadmins = ann\n")
        os.kill(imd.pid, signal.SIGHUP)
        wait_until(lambda: "event=reloaded" in imd.log(), 15, "the reload")
        assert "event=restart_needed" not in imd.log()


def test_the_relay_follows_the_log_level():
    with Directory() as directory:
        settings = directory.path / "imd.conf"
        settings.write_text("processes = 1\n")
        imd = directory.start(f"--config={settings}")
        relay, = set(imd.children()) - set(imd.workers())
        settings.write_text("processes = 1\nlog_level = error\n")
        os.kill(imd.pid, signal.SIGHUP)
        wait_until(lambda: len(imd.workers()) == 1 and "event=worker_ended" in imd.log(), 15, "the reload")
        time.sleep(2)  # for the relay's next round
        assert f"pid={relay} event=relay_ready" in imd.log()
        os.kill(imd.pid, signal.SIGTERM)
        assert imd.wait_end() == 0
        assert "event=relay_ended" not in imd.log()


def test_bad_settings_change_nothing():
    with Directory() as directory:
        settings = directory.path / "imd.conf"
        settings.write_text("processes = 2\n")
        imd = directory.start(f"--config={settings}")
        settings.write_text("# more\nprocesses = many\n")
        os.kill(imd.pid, signal.SIGHUP)
        wait_until(lambda: f"{settings}:2: processes" in imd.log(), 15, "it says what is wrong")
        assert len(imd.workers()) == 2
        assert imd.ask("GET", "/conversations/?id=1")[0] == 200
