"""
Clients that hold a subscription open: a WebSocket (the websockets library) and an EventSource (a plain HTTP stream).
Both keep every frame in the order of arrival, so that a test can wait for one and then check all.
"""
import asyncio
import http.client
import json
import threading
import urllib.parse

import websockets

import contract

WAIT_S = 15


class Listener:
    """What both kinds share. Frames arrive on another thread; the condition guards them."""

    def __init__(self):
        self._changed = threading.Condition()
        self._frames = []
        self.ended = None  # why the stream ended; None while it is open
        self.faults = []  # of frames that violate the contract

    def _hear(self, text):
        frame = json.loads(text)
        try:
            contract.check_frame(text)
        except AssertionError as fault:
            self.faults.append(fault)
        with self._changed:
            self._frames.append(frame)
            self._changed.notify_all()

    def _end(self, reason):
        with self._changed:
            self.ended = reason
            self._changed.notify_all()

    @property
    def frames(self):
        with self._changed:
            return list(self._frames)

    @property
    def events(self):
        return [event for frame in self.frames for event in frame["events"]]

    def about(self, conversation):
        """Returns the events of one conversation, in the order of arrival."""
        return [event for event in self.events if event["conversation"] == conversation]

    def wait(self, enough, what, timeout_s=WAIT_S):
        """Waits until `enough()` of this listener is true, and returns its value."""
        with self._changed:
            self._changed.wait_for(lambda: enough() or self.ended, timeout_s)
        found = enough()
        assert found, f"{what}: not after {timeout_s} s; ended: {self.ended}; last frames: {self.frames[-3:]}"
        return found

    def wait_for(self, conversation, count, timeout_s=WAIT_S):
        """Waits until `count` events of one conversation have come, and returns them."""
        self.wait(lambda: len(self.about(conversation)) >= count,
                  f"{count} events of conversation {conversation}", timeout_s)
        return self.about(conversation)

    def wait_end(self, timeout_s=WAIT_S):
        with self._changed:
            assert self._changed.wait_for(lambda: self.ended, timeout_s), f"still open after {timeout_s} s"
        return self.ended


class _Loop:
    """One event loop on one thread serves every WebSocket of the test run."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def start(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def run(self, coroutine):
        return self.start(coroutine).result(WAIT_S)


_loop = _Loop()


class WebSocket(Listener):
    def __init__(self, url, headers):
        super().__init__()
        self._socket = _loop.run(self._connect(url, headers))
        self.headers = self._socket.response_headers
        self._reader = _loop.start(self._read())

    @staticmethod
    async def _connect(url, headers):
        # Without its own pings the client never closes by itself. Frames may be as large as
        # messages.
        return await websockets.connect(url, extra_headers=headers, max_size=None, max_queue=None, ping_interval=None,
                                        close_timeout=1)

    async def _read(self):
        try:
            async for text in self._socket:
                assert isinstance(text, str), "a binary frame"
                self._hear(text)
            self._end(f"closed {self._socket.close_code}")
        except Exception as error:
            self._end(repr(error))

    def send(self, frame):
        """Sends a frame. It is no error if the server has closed the socket meanwhile."""
        try:
            _loop.run(self._socket.send(frame))
        except websockets.ConnectionClosed:
            pass

    def close(self):
        _loop.run(self._socket.close())


class EventSource(Listener):
    def __init__(self, url, headers):
        super().__init__()
        at = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(at.hostname, at.port, timeout=WAIT_S)
        connection.request("GET", f"{at.path}?{at.query}", headers={"Accept": "text/event-stream", **headers})
        self._socket = connection.sock
        self._response = connection.getresponse()
        assert self._response.status == 200, (self._response.status, self._response.read())
        self.headers = self._response.headers
        assert self.headers.get_content_type() == "text/event-stream"
        self._socket.settimeout(None)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        """Parses the event stream as the HTML standard does: data lines are collected until a blank line."""
        data = []
        try:
            for line in iter(self._response.readline, b""):
                line = line.rstrip(b"\r\n").decode()
                if line.startswith("data:"):
                    data.append(line[5:].removeprefix(" "))
                elif line == "" and data:
                    self._hear("\n".join(data))
                    data = []
            self._end("end of stream")
        except Exception as error:
            self._end(repr(error))

    def close(self):
        try:
            self._socket.shutdown(2)
        except OSError:  # the server closed it first
            pass


class Audience:
    """Opens listeners and closes them all at the end of a test."""

    KINDS = {"websocket": ("ws", WebSocket), "eventsource": ("http", EventSource)}

    def __init__(self):
        self._open = []

    def listen(self, stack, username, kind="websocket", headers=None, path="/ws/"):
        scheme, make = self.KINDS[kind]
        base = stack.url.replace("http", scheme, 1)
        listener = make(f"{base}{path}?username={username}", headers or {})
        self._open.append(listener)
        return listener

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for listener in self._open:
            listener.close()
        faults = [fault for listener in self._open for fault in listener.faults]
        assert not faults, faults[:3]
