"""Hundreds of members of one group, all listening. It counts the group's messages that they receive."""
import base64
import collections
import os
import selectors
import socket
import threading

# A frame contains each of these words once per event, and the texts of these tests contain neither.
TOLD, WHOLE = b'"event":"message.created"', b'"message":{'


class _Ear:
    """One user's WebSocket. It counts messages and keeps nothing else."""

    def __init__(self, port, name):
        self.name = name
        self.count = collections.Counter()
        self._tail = b""
        self.socket = socket.create_connection(("127.0.0.1", port), 15)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /ws/?username={name} HTTP/1.1\r\nHost: crowd\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n")
                            .encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            got = self.socket.recv(1)
            assert got, (name, head)
            head += got
        assert head.startswith(b"HTTP/1.1 101"), (name, head)
        self.socket.setblocking(False)

    def hear(self):
        """Returns False when the socket has ended."""
        got = self.socket.recv(1 << 20)
        for word in (TOLD, WHOLE):
            # Keep less than the word itself, so that nothing counts twice.
            self.count[word] += (self._tail[len(self._tail) - len(word) + 1:] + got).count(word)
        self._tail = (self._tail + got)[-64:]
        return bool(got)


class Crowd:
    """A socket for each name, read by one thread. Close it at the end."""

    def __init__(self, port, names):
        self._ears = [_Ear(port, name) for name in names]
        self._ended = []
        self._selector = selectors.DefaultSelector()
        for ear in self._ears:
            self._selector.register(ear.socket, selectors.EVENT_READ, ear)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self):
        while not self._closing.is_set():
            for key, _ in self._selector.select(0.1):
                if not key.data.hear():
                    self._selector.unregister(key.fileobj)
                    self._ended.append(key.data.name)

    def told(self):
        """
        Returns how many messages each user heard of, and how many with the text: two lists in the order of the
        names.
        """
        return [ear.count[TOLD] for ear in self._ears], [ear.count[WHOLE] for ear in self._ears]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closing.set()
        self._thread.join()
        for ear in self._ears:
            ear.socket.close()
        assert not self._ended, f"sockets ended: {self._ended[:3]}"
