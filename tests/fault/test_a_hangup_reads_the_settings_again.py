import os
import signal

from alone import Directory
from stack import wait_until


def test_more_workers():
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
