"""
The connection between a client and nginx: a WebSocket that is worse than any real one. Frames get lost, come twice,
come late and so out of order, and the socket breaks. A function, the fate, decides about each frame.
"""
import asyncio
import math
import queue
import threading

import websockets

OPEN_S = 10
LATE_S = 2  # at most; mostly much less

# A fate returns for each frame the seconds after which its copies come: none if it is lost, two if
# it comes twice.
AT_ONCE = (0,)
LOST = ()
CUT = None  # lost, together with the socket
RELEASED = (math.inf,)  # kept until release()


def kind_fate():
    """Every frame comes, once and in order."""
    return AT_ONCE


class Odds:
    """A random fate. The n-th frame on a link always gets the same fate, whatever it contains."""

    def __init__(self, chance, severity=1):
        self._chance = chance
        self._severity = severity

    def __call__(self):
        roll, late_s = self._chance.random() / self._severity, LATE_S * self._chance.random() ** 4
        if roll < 0.002:
            return CUT
        if roll < 0.03:
            return LOST
        if roll < 0.06:
            return (0, late_s)
        return (late_s,) if roll < 0.1 else AT_ONCE


class Cut(Exception):
    """The socket has ended, or none can be opened."""


class _Loop:
    """One event loop on one thread serves all links."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(OPEN_S * 2)


_loop = _Loop()


class Link:
    """
    The client's thread opens and receives. Other threads may cut, mute and change the fate at any time. Late frames
    come even if their socket has ended meanwhile, after those of the next one.
    """

    def __init__(self, url, fate=kind_fate):
        self._url = url
        self._arrived = queue.Queue()
        self._socket = None
        self._received = False
        self._waiting = False
        self._late = 0
        self._kept = []
        self.fate = fate
        self.muted = False
        self.patience_s = 0  # how long the client waits for the next frame; None: for ever
        self.seen = 0  # frames that nginx has sent …
        self.harmed = 0  # … and that were lost, repeated or late
        self.opened = 0      # sockets

    # -- for the client

    def open(self):
        """Opens a new socket in place of the previous one. Raises Cut if nginx refuses it."""
        _loop.run(self._open())

    def receive(self, silence_s=None):
        """Returns the next frame, as text; None after `silence_s` of silence. Raises Cut at the end of the socket."""
        self.patience_s = silence_s
        self._waiting = True
        if self._received:
            self._arrived.task_done()
        try:
            socket, text = self._arrived.get(timeout=silence_s)
            self._received = True
        except queue.Empty:
            self._received = False
            return None
        finally:
            self._waiting = False
        if text is None and socket is self._socket:
            raise Cut
        return self.receive(silence_s) if text is None else text

    # -- for faults

    def cut(self):
        """Ends the socket without a close frame."""
        _loop.run(self._cut())

    def close(self):
        _loop.run(self._socket.close() if self._socket else asyncio.sleep(0))

    def release(self):
        """Delivers the frames that were kept."""
        kept, self._kept = self._kept, []
        for text in kept:
            self._pass(text)

    @property
    def drained(self):
        """True if no frame is late, and the client has handled all frames and waits for more."""
        return self._waiting and self._late == 0 and self._arrived.unfinished_tasks == 0

    # -- on the loop

    async def _open(self):
        await self._cut()
        try:
            # Without its own pings the socket never closes by itself. Frames may be as large as
            # messages.
            self._socket = await websockets.connect(self._url, open_timeout=OPEN_S, max_size=None, max_queue=None,
                                                    ping_interval=None, close_timeout=1)
        except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as error:
            raise Cut from error
        self.opened += 1
        asyncio.ensure_future(self._read(self._socket))

    async def _read(self, socket):
        try:
            async for text in socket:
                self._meet_fate(socket, text)
        except websockets.ConnectionClosed:
            pass
        finally:
            self._arrived.put((socket, None))

    def _meet_fate(self, socket, text):
        self.seen += 1
        copies = self.fate()
        if self.muted:
            copies = LOST
        self.harmed += copies != AT_ONCE
        if copies is CUT:
            socket.transport.abort()
            return
        for delay_s in copies:
            if delay_s == 0:
                self._arrived.put((socket, text))
            elif delay_s == math.inf:
                self._kept.append(text)
            else:
                self._late += 1
                _loop.loop.call_later(delay_s, self._pass_late, text)

    def _pass_late(self, text):
        self._pass(text)
        self._late -= 1

    def _pass(self, text):
        self._arrived.put((self._socket, text))

    async def _cut(self):
        if self._socket:
            self._socket.transport.abort()
