"""
A cable that can be pulled. Connections through it stay open but carry nothing any more, even after it is plugged in
again: neither side learns that they are dead. New connections work.
"""
import selectors
import socket
import threading


class Cable:
    """Listens on its own port and forwards to another one, both on this machine."""

    def __init__(self, port):
        self._to = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._plugged = threading.Event()
        self._plugged.set()
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._pairs = {}
        self._dead = []
        self._ended = False
        self._thread = threading.Thread(target=self._run)

    def pull(self):
        self._plugged.clear()

    def plug_in(self):
        self._plugged.set()
        self._wake.send(b"x")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended = True
        self.plug_in()
        self._thread.join()
        for one in list(self._pairs):
            self._close(one)
        for each in (*self._dead, self._listener, self._wake, self._woken):
            each.close()
        self._selector.close()

    def _run(self):
        while not self._ended:
            for key, _ in self._selector.select():
                if not self._plugged.is_set():
                    self._plugged.wait()
                    self._cut()
                    break
                if key.fileobj is self._woken:
                    self._woken.recv(64)
                elif key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj in self._pairs:
                    self._forward(key.fileobj)

    def _cut(self):
        for one in self._pairs:
            self._selector.unregister(one)
        self._dead += self._pairs
        self._pairs = {}

    def _accept(self):
        near, _ = self._listener.accept()
        try:
            far = socket.create_connection(self._to)
        except ConnectionRefusedError:
            near.close()
            return
        for one, other in ((near, far), (far, near)):
            self._pairs[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _forward(self, one):
        try:
            data = one.recv(65536)
            self._pairs[one].sendall(data)
        except OSError:
            data = b""
        if not data:
            self._close(one)

    def _close(self, one):
        for each in (one, self._pairs.get(one)):
            if each in self._pairs:
                del self._pairs[each]
                self._selector.unregister(each)
                each.close()
