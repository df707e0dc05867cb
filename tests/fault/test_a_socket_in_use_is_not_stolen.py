import os
import signal

from alone import Directory
from stack import alive, wait_until


def inode(path):
    return os.stat(path).st_ino


def test_a_second_imd_on_the_same_socket_does_not_start():
    with Directory() as directory:
        first = directory.start()
        before = inode(directory.socket)
        message = directory.refused()
        assert str(directory.socket) in message, message
        # Not even with a database of its own.
        assert str(directory.socket) in directory.refused(*directory.elsewhere())
        assert inode(directory.socket) == before
        assert first.ask("GET", "/conversations/?id=1")[0] == 200
        os.kill(first.pid, signal.SIGTERM)
        assert first.wait_end() == 0


def test_a_file_that_is_not_a_socket_is_not_replaced():
    with Directory() as directory:
        directory.socket.write_text("precious")
        message = directory.refused()
        assert str(directory.socket) in message, message
        assert directory.socket.read_text() == "precious"


def test_a_socket_path_that_is_too_long_is_refused():
    with Directory() as directory:
        path = f"{directory.path}/{'s' * 120}"
        message = directory.refused(f"--socket={path}")
        assert "socket" in message and "too long" in message, message


def test_the_socket_of_a_killed_master_is_replaced():
    """The children of the killed master end by themselves, and its stale socket file blocks no new start."""
    with Directory() as directory:
        first = directory.start()
        assert first.ask("POST", "/conversations/", {"type": "group_chat", "members": ["ann"]})[0] == 200
        left = first.children()
        assert left
        os.kill(first.pid, signal.SIGKILL)
        first.process.wait()
        wait_until(lambda: not any(map(alive, left)), 10, "the children end")
        assert directory.socket.exists()
        second = directory.start()
        assert second.ask("GET", "/conversations/?id=1")[0] == 200
        os.kill(second.pid, signal.SIGTERM)
        assert second.wait_end() == 0
        assert not directory.socket.exists()
