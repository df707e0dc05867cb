"""
Clients that are slow, read nothing or are gone. They use plain sockets, because no library would behave like that.
Meanwhile a bystander checks that others are answered.
"""
import contextlib
import os
import re
import socket
import threading
import time
from pathlib import Path

from api import Client, new_name

# The longest time that "answered promptly" allows, on two cores that are busy with the test itself.
# A sanitizer makes imd several times slower.
PROMPT_S = 1 if Path(os.environ.get("IMD", "build/imd")).parent.name == "build" else 5
# The address of clients that behave well.
ELSEWHERE = "127.0.0.3"

WEBSOCKET = (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
             b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
EVENTSOURCE = (b"Accept: text/event-stream",)


def connect(stack, source="127.0.0.1", receive_bytes=None):
    """A connection from this address. `receive_bytes` bounds how much the kernel buffers for this client."""
    connection = socket.socket()
    connection.settimeout(20)
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.bind((source, 0))
    connection.connect(("127.0.0.1", stack.port))
    return connection


def head(method, target, *lines):
    """Request line and header fields, without the empty line that ends them."""
    return b"\r\n".join([b"%s %s HTTP/1.1" % (method, target), b"Host: a", *lines]) + b"\r\n"


def subscribe(stack, name, lines, **more):
    """(connection, HTTP status) of a new subscription. Nothing but the status is read."""
    connection = connect(stack, **more)
    connection.sendall(head(b"GET", b"/ws/?username=" + name.encode(), *lines) + b"\r\n")
    return connection, int(connection.recv(12)[9:])


def until_ended(connection, timeout_s=20):
    """Reads until the server closes the connection; returns (bytes read, whether it was reset)."""
    connection.settimeout(timeout_s)
    came = b""
    try:
        while piece := connection.recv(65536):
            came += piece
    except ConnectionResetError:
        return came, True
    return came, False


def nchan(stack):
    """nchan's own figures: {"subscribers": 1, "shared memory used": 20, …}; memory in kB."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(stack.state / "push.sock"))
        connection.sendall(head(b"GET", b"/status", b"Connection: close") + b"\r\n")
        came, _ = until_ended(connection)
    return {key: int(value) for key, value in re.findall(r"^([a-z ]+): (\d+)K?$", came.decode(), re.M)}


def answers(stack, method, path):
    """The number of requests of this route that reached imd."""
    with Client(stack, source=ELSEWHERE) as api:
        metrics = api.get("/metrics").body.decode()
    return sum(int(count) for count in
               re.findall(rf'^imd_answers_total{{method="{method}",path="{path}",.*}} (\d+)$', metrics, re.M))


class Bystander:
    """A user who keeps sending and reading, each time on a new connection, and records how long it takes."""

    def __init__(self, stack):
        self._stack = stack
        self._name = new_name("bystander")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self._fault = None
        self.seconds = []

    def _turn(self, conversation):
        start = time.monotonic()
        with Client(self._stack, source=ELSEWHERE) as api:
            sent = api.send(conversation, self._name)
            assert api.seq_page(conversation, before_seq=sent["seq"] + 1, limit=1)["messages"] == [sent]
        self.seconds.append(time.monotonic() - start)

    def _go_on(self):
        try:
            with Client(self._stack, source=ELSEWHERE) as api:
                conversation = api.group(self._name)
            while True:
                self._turn(conversation)
                if self._over.wait(0.1):
                    return
        except BaseException as fault:  # for the test's own thread to raise
            self._fault = fault

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        if self._fault:
            raise self._fault


@contextlib.contextmanager
def others_are_answered(stack):
    """Asserts that a bystander is answered promptly, each time, while the block runs."""
    with Bystander(stack) as bystander:
        yield
    assert max(bystander.seconds) < PROMPT_S, sorted(bystander.seconds)[-5:]
