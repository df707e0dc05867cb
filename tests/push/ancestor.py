"""
A client as written for the ancestor: paths without a trailing slash, and pages by time. It uses a push only as a signal
to pull. It knows nothing of seq, version, epoch or events.
"""
import asyncio
import http.client
import json
import threading

import websockets

from api import Client

RECONNECT_S = 1
LIMIT = 100


class Ancestor:
    """
    One user's client, on its own thread. `messages` is its local store; `failures` must be empty at the end of a
    test.
    """

    def __init__(self, stack, username):
        self.username = username
        self.messages = []
        self.conversations = {}  # id: as it was shown last
        self.pulls = 0
        self.failures = []
        self.opened = 0  # sockets
        self._stack = stack
        self._loop = asyncio.new_event_loop()
        self._socket = None
        self._ended = False
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._live(),), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended = True
        self.cut()
        self._thread.join()
        self._loop.close()

    def create(self, kind, *members):
        """Creates a conversation as the ancestor's page does, then asks for it together with all that it knows."""
        with Client(self._stack) as api:
            created = api.post("/conversations", {"type": kind, "members": [self.username, *members]}).ok["id"]
            self._fetch(api, {created, *self.conversations})
        return created

    def cut(self):
        """Closes its socket abruptly."""
        self._loop.call_soon_threadsafe(lambda: self._socket and self._socket.transport.abort())

    async def _live(self):
        """When a socket ends, it opens another one after a second, and asks for nothing: the next push makes it ask."""
        url = f"{self._stack.ws_url}/ws?username={self.username}"
        while not self._ended:
            try:
                async with websockets.connect(url, max_size=None, max_queue=None, ping_interval=None) as self._socket:
                    self.opened += 1
                    await self._listen()
            except (OSError, EOFError, websockets.WebSocketException):
                pass
            if not self._ended:
                await asyncio.sleep(RECONNECT_S)

    async def _listen(self):
        async for text in self._socket:
            if json.loads(text)["type"] != "notify":
                continue
            try:
                self._pull()
            except (OSError, http.client.HTTPException):
                pass  # the next push makes it try again
            except AssertionError as failure:
                self.failures.append(failure)

    def _pull(self):
        with Client(self._stack) as api:
            more = True
            while more:
                after = self.messages[-1]["timestamp"] if self.messages else 0
                page = api.get("/messages", username=self.username, after=after, limit=LIMIT).ok
                self.messages += page["messages"]
                more = page["has_next"]
                self._look_up(api, page["messages"])
        self.pulls += 1

    def _look_up(self, api, messages):
        """When it receives a new conversation, it requests all the conversations that it knows."""
        new = {message["conversation"] for message in messages} | self.conversations.keys()
        if len(new) == len(self.conversations):
            return
        self._fetch(api, new)

    def _fetch(self, api, identities):
        found = api.get("/conversations", id=sorted(identities)).ok["conversations"]
        assert [conversation["id"] for conversation in found] == sorted(identities)
        self.conversations = {conversation["id"]: conversation for conversation in found}
