import os
import signal

import fastcgi
from alone import Directory
from stack import alive, wait_until


def test_a_second_imd_with_the_same_control_socket_does_not_start():
    with Directory() as directory:
        first = directory.start()
        control = directory.path / "control.sock"
        before = os.stat(control).st_ino
        message = directory.refused(f"--socket={directory.path}/other.sock", *directory.elsewhere())
        assert f"socket={control}" in message and "another_imd_listens_here" in message, message
        assert os.stat(control).st_ino == before
        assert fastcgi.ask(control, "GET", "/control/status")[0] == 200
        os.kill(first.pid, signal.SIGTERM)
        assert first.wait_end() == 0


def test_the_control_socket_of_a_killed_master_is_replaced():
    with Directory() as directory:
        first = directory.start()
        control = directory.path / "control.sock"
        left = first.children()
        os.kill(first.pid, signal.SIGKILL)
        first.process.wait()
        wait_until(lambda: not any(map(alive, left)), 10, "the children end")
        assert control.exists()
        second = directory.start()
        assert fastcgi.ask(control, "GET", "/control/status")[0] == 200
        os.kill(second.pid, signal.SIGTERM)
        assert second.wait_end() == 0
        assert not control.exists()


def test_a_file_that_is_not_a_socket_is_not_replaced():
    with Directory() as directory:
        control = directory.path / "control.sock"
        control.write_text("precious")
        assert str(control) in directory.refused()
        assert control.read_text() == "precious"


def test_a_directory_that_is_not_there_is_named():
    with Directory() as directory:
        assert "/nowhere/control.sock" in directory.refused("--control=/nowhere/control.sock")
