"""
A client as imd's ancestor has it: it reads `type` alone of a push, and then asks for what is later than the last message
that it holds; when its socket ends it connects again after a second, and asks for nothing until the next push.
"""
import asyncio
import json
import threading

import pytest
import requests
import websockets

from chat import Chat, name
from stack import Stack, wait_until

RECONNECT_S = 1  # the ancestor's
PATIENCE_S = 30
PAGE = 100
SENDERS = 6
PACE_S = 0.01  # between two messages of a sender


class OldClient(threading.Thread):
    def __init__(self, stack, username):
        super().__init__(daemon=True)
        self.username = username
        self.messages, self.conversations = [], {}  # what its browser stores
        self.connected = threading.Event()
        self.reconnects = 0
        self._stack = stack
        self._http = requests.Session()
        self._http.trust_env = False
        self._ended = False
        self.failure = None

    def run(self):
        try:
            asyncio.run(self._live())
        except BaseException as failure:
            self.failure = failure

    def stop(self):
        self._ended = True

    async def _live(self):
        while not self._ended:
            try:
                async with websockets.connect(f"{self._stack.ws_url}/ws/?username={self.username}") as socket:
                    self.connected.set()
                    await self._listen(socket)
            except (OSError, websockets.WebSocketException, asyncio.TimeoutError):
                pass
            self.connected.clear()
            self.reconnects += 1
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self, socket):
        while not self._ended:
            try:
                frame = await asyncio.wait_for(socket.recv(), 0.2)
            except asyncio.TimeoutError:
                continue
            if json.loads(frame)["type"] == "notify":
                self._pull()

    def _pull(self):
        """What cannot be had now is asked for at the next push."""
        try:
            self._pull_messages()
            unknown = {m["conversation"] for m in self.messages} - set(self.conversations)
            if unknown:
                self._fetch(unknown)
        except (requests.ConnectionError, Refused):
            pass

    def _pull_messages(self):
        more = True
        while more:
            after = self.messages[-1]["timestamp"] if self.messages else 0
            page = self._get(f"/messages?username={self.username}&after={after}&limit={PAGE}")
            self.messages += page["messages"]
            more = page["has_next"]

    def _fetch(self, identities):
        query = "&".join(f"id={identity}" for identity in sorted(identities))
        for conversation in self._get(f"/conversations?{query}")["conversations"]:
            self.conversations[conversation["id"]] = conversation

    def create(self, members):
        """The ancestor asks for what it has created, as for all that it knows."""
        answer = self._http.post(f"{self._stack.url}/conversations", json={"type": "group_chat", "members": members})
        assert answer.status_code == 200, answer.text
        created = answer.json()
        self._fetch({created["id"], *self.conversations})
        assert {"id", "type", "members"} <= self.conversations[created["id"]].keys()
        return created

    def _get(self, path):
        answer = self._http.get(self._stack.url + path, timeout=10, allow_redirects=False)
        if answer.status_code >= 500:
            raise Refused
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()


class Refused(Exception):
    pass


@pytest.fixture
def stack():
    with Stack(nginx_workers=2) as own:
        yield own


class Flow:
    """Several who send at once, each message until it is answered, as long as the context lasts."""

    def __init__(self, stack, senders, conversations):
        self._stack, self._conversations = stack, conversations
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=[sender]) for sender in senders]
        self.sent = []  # how many, by each

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, sender):
        n = 0
        while not self._over.wait(PACE_S):
            conversation = self._conversations[n % len(self._conversations)]
            body = {"conversation_id": conversation["id"], "username": sender, "content": f"{sender} {n}",
                    "client_id": f"{sender}-{n}"}
            wait_until(lambda: self._answered(body), PATIENCE_S, "the message is answered")
            n += 1
        self.sent.append(n)

    def _answered(self, body):
        try:
            return requests.post(f"{self._stack.url}/messages", json=body, timeout=10).status_code == 200
        except requests.ConnectionError:
            return False


def restart(stack):
    stack.nginx_stop()
    stack.nginx_start()


def received(chat, username):
    """All that the user ever received, as the server tells it in one go."""
    messages, after, more = [], 0, True
    while more:
        page = chat.ask("GET", f"/messages/?username={username}&after={after}&limit=1000").json()
        messages += page["messages"]
        more, after = page["has_next"], messages[-1]["timestamp"] if messages else 0
    return messages


def test_it_ends_with_every_message(stack):
    chat = Chat(stack)
    clients = [OldClient(stack, name("old")) for _ in range(4)]
    guest = clients[-1]
    senders = [name("sender") for _ in range(SENDERS)]
    regulars = [client.username for client in clients[:-1]]
    conversations = [clients[0].create([*regulars, *senders]) for _ in range(3)]
    lobby = chat.group(guest.username)
    for client in clients:
        client.start()
    for client in clients:
        assert client.connected.wait(PATIENCE_S)
    with Flow(stack, senders, conversations) as flow:
        for trouble in (stack.nginx_reload, lambda: restart(stack), stack.nginx_reload):
            Chat(stack).join(conversations[0], guest.username)
            for client in clients:
                assert client.connected.wait(PATIENCE_S)
            trouble()
            wait_until(lambda: not any(client.connected.is_set() for client in clients), PATIENCE_S, "all are cut off")
            Chat(stack).leave(conversations[0], guest.username)
        Chat(stack).join(conversations[1], guest.username)
    chat = Chat(stack)
    for client in clients:
        assert client.connected.wait(PATIENCE_S) and client.reconnects >= 3
    chat.settle()
    for conversation in (*conversations, lobby):
        sender = guest.username if conversation is lobby else senders[0]
        chat.send(conversation, sender, "the last one")
    for client in clients:
        wait_until(lambda: client.messages == received(chat, client.username), PATIENCE_S, "the client holds all")
    # The same by another way: who never left has received all that was sent.
    sent = sorted((m for c in conversations for m in chat.messages(c)), key=lambda m: (m["timestamp"], m["id"]))
    assert len(sent) == sum(flow.sent) + len(conversations) > 3 * PAGE
    for client in clients[:-1]:
        assert sorted(client.messages, key=lambda m: (m["timestamp"], m["id"])) == sent
    assert 0 < len(guest.messages) < len(sent)
    for client in clients:
        client.stop()
        client.join()
        assert client.failure is None, client.failure
        assert set(client.conversations) >= {m["conversation"] for m in client.messages}
