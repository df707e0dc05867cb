"""The nginx of another host: it passes requests to the stack's imd, and holds sockets of its own."""
import os
import shutil
import signal
import subprocess

from stack import START_DEADLINE_S, STOP_DEADLINE_S, children, free_port, nginx_program, processes, wait_until


class Front:
    """To a client it is like a stack. Its files are in a directory inside the stack's."""

    def __init__(self, stack):
        self._stack = stack
        self.state = stack.state / "front"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}"

    def __enter__(self):
        for directory in (self.state, self.state / "tmp"):
            directory.mkdir()
            if os.getuid() == 0:
                shutil.chown(directory, "www-data")
        for path in self._stack.state.glob("*.conf"):
            (self.state / path.name).write_text(self._for_this_host(path.read_text()))
        # Its name tells Stack that this nginx is one of its processes.
        subprocess.run([nginx_program(), "-p", str(self._stack.state), "-c", str(self.state / "nginx.conf")],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: (self.state / "nginx.pid").exists(), START_DEADLINE_S, "the other host's nginx starts")
        return self

    def _for_this_host(self, text):
        """The same configuration with other files and another port, but the same imd."""
        own, there = f"{self.state}/", f"{self._stack.state}/"
        text = text.replace(there, own).replace(f"{own}imd.sock", f"{there}imd.sock")
        return text.replace(f"listen 127.0.0.1:{self._stack.port} ", f"listen 127.0.0.1:{self.port} ")

    def __exit__(self, *_):
        pid = int((self.state / "nginx.pid").read_text())
        mine = {pid, *children(pid)}
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not mine & set(processes()), STOP_DEADLINE_S, "the other host's nginx ends")
