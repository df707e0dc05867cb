"""
A client that sends exactly what a test passes: nothing is normalised, followed or retried.

It checks every answer (a request id, no 5xx, the schema of openapi.json) and the form of every problem, so that no test
has to.
"""
import contextlib
import functools
import hashlib
import http.client
import itertools
import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlencode

import contract

TIMEOUT_S = 20
# nginx closes a connection that is idle for 75 s; a request that is sent at that moment would be
# lost.
IDLE_S = 30
JSON_HEADERS = {"Content-Type": "application/json"}

_numbers = itertools.count(1)


def reactions(message):
    """Returns {emoji: names} of the message, without `mine`. With so few reactions, all names are shown and counted."""
    for emoji, shown in message.get("reactions", {}).items():
        assert shown["count"] == len(shown["names"]) > 0, (emoji, shown)
    return {emoji: shown["names"] for emoji, shown in message.get("reactions", {}).items()}


def unseen(value):
    """Removes `mine`, which depends on the viewer."""
    if isinstance(value, list):
        return [unseen(each) for each in value]
    if isinstance(value, dict):
        return {name: unseen(each) for name, each in value.items()
                if not (name == "mine" and "count" in value and "names" in value)}
    return value


def plain(message):
    """Returns the message with reactions as {emoji: names}, which do not depend on the viewer."""
    return {**message, "reactions": reactions(message)} if "reactions" in message else message


def new_name(stem="user"):
    """Returns a user name that no other test of this run has."""
    return f"{stem}_{next(_numbers)}"


class Answer:
    def __init__(self, response, method, target):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        assert re.fullmatch("[0-9a-f]{32}", self.headers.get("X-Request-Id", "")), self
        assert self.headers.get_all("X-Request-Id") == [self.headers["X-Request-Id"]], self
        assert self.status < 500, self
        contract.check(method, target, self.status, self.headers, self.body)

    @property
    def json(self):
        """Parsed strictly: no control characters inside strings, no bytes that are not UTF-8."""
        return json.loads(self.body.decode("utf-8"))

    @property
    def ok(self):
        """The body of a success, without `mine`: `json` has all of it."""
        assert self.status == 200, self
        assert self.headers["Content-Type"].split(";")[0] == "application/json", self
        return unseen(self.json)

    def problem(self, status, error=None, code=None, field=None):
        """Asserts that this is a problem with these members. None: not compared."""
        assert self.status == status, self
        assert self.headers["Content-Type"] == "application/problem+json", self
        body = self.json
        assert body["status"] == status and type(body["status"]) is int, self
        assert body["request_id"] == self.headers["X-Request-Id"], self
        assert re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", body["code"]), self
        assert isinstance(body["error"], str) and body["error"], self
        assert error in (None, body["error"]), self
        assert code in (None, body["code"]), self
        if field is not None:
            assert body.get("field") == field, self

    def __repr__(self):
        return f"{self.status} {dict(self.headers)} {self.body[:500]!r}"


class Client:
    """
    One kept connection to a stack. `headers` are sent with every request, for example credentials. `tls`: an SSL
    context. `source`: the address to connect from.
    """

    def __init__(self, stack, headers=(), address="127.0.0.1", tls=None, source=None):
        self._prefix = stack.prefix
        self._headers = dict(headers)
        kind = functools.partial(http.client.HTTPSConnection, context=tls) if tls else http.client.HTTPConnection
        self._connection = kind(address, stack.port, timeout=TIMEOUT_S, source_address=source and (source, 0))
        self._used = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    def request(self, method, path, body=None, headers=()):
        if time.monotonic() - self._used > IDLE_S:
            self._connection.close()  # the next request opens another one
        self._used = time.monotonic()
        self._connection.request(method, self._prefix + path, body=body, headers={**self._headers, **dict(headers)})
        return Answer(self._connection.getresponse(), method, path)

    def get(self, path, **query):
        return self.request("GET", f"{path}?{urlencode(query, doseq=True)}" if query else path)

    def post(self, path, value):
        return self.post_bytes(path, json.dumps(value).encode())

    def post_bytes(self, path, body):
        return self.request("POST", path, body, JSON_HEADERS)

    # -- requests that must succeed

    def create(self, kind, *members):
        return self.post("/conversations/", {"type": kind, "members": members}).ok

    def group(self, *members):
        return self.create("group_chat", *members)["id"]

    def private(self, *members):
        return self.create("private_chat", *members)["id"]

    def conversation(self, conversation_id):
        (found,) = self.get("/conversations/", id=conversation_id).ok["conversations"]
        return found

    def send(self, conversation_id, username, content="hello"):
        return self.post("/messages/", {"conversation_id": conversation_id, "username": username,
                                        "content": content}).ok

    def members(self, conversation_id, limit=1000):
        """Returns all members, page by page: [{"username", "role"}]."""
        members, has_next = [], True
        while has_next:
            after = {"after": members[-1]["username"]} if members else {}
            page = self.get(f"/conversations/{conversation_id}/members", limit=limit, **after).ok
            members += page["members"]
            has_next = page["has_next"]
        return members

    def join(self, conversation_id, username):
        assert self.post(f"/conversations/{conversation_id}/join", {"username": username}).ok == {"result": "success"}

    def leave(self, conversation_id, username):
        assert self.post(f"/conversations/{conversation_id}/leave", {"username": username}).ok == {"result": "success"}

    def remove(self, conversation_id, member, username=None):
        """Removes the member as `username`, else as the caller."""
        query = f"?{urlencode({'username': username})}" if username else ""
        path = f"/conversations/{conversation_id}/members/{member}{query}"
        assert self.request("DELETE", path).ok == {"result": "success"}

    def page(self, **query):
        page = self.get("/messages/", **query).ok
        assert set(page) == {"messages", "has_next"} and type(page["has_next"]) is bool, page
        return page

    def all_messages(self, limit=1000, **query):
        """Returns what a client receives that asks again with `after` = the last timestamp it holds."""
        held = []
        while True:
            page = self.page(limit=limit, after=held[-1]["timestamp"] if held else 0, **query)
            held += page["messages"]
            if not page["has_next"]:
                return held
            assert page["messages"], "an empty page with has_next"

    def write(self, method, path, value, headers=()):
        """Sends any request with a JSON body; returns the answer, granted or not."""
        return self.request(method, path, json.dumps(value).encode(), {**JSON_HEADERS, **dict(headers)})

    def write_unseen(self, method, path, value):
        """Returns the body of a success without checking it, for tests with very many requests."""
        self._connection.request(method, self._prefix + path, json.dumps(value).encode(),
                                 {**self._headers, **JSON_HEADERS})
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return json.loads(body)

    def submit(self, conversation_id, username, content="hello", headers=(), **more):
        """Sends a message with further members; returns the answer, accepted or not."""
        body = {"conversation_id": conversation_id, "username": username, "content": content, **more}
        return self.write("POST", "/messages/", body, headers)

    def message(self, message_id):
        return self.get(f"/messages/{message_id}").ok

    def edit(self, message_id, username, content):
        return self.write("PATCH", f"/messages/{message_id}", {"username": username, "content": content})

    def erase(self, message_id, username):
        return self.request("DELETE", f"/messages/{message_id}?{urlencode({'username': username})}")

    def react(self, message_id, username, emoji, method="PUT", **query):
        query = urlencode({"username": username, **query})
        return self.request(method, f"/messages/{message_id}/reactions/{quote(emoji, safe='')}?{query}")

    def unreact(self, message_id, username, emoji):
        return self.react(message_id, username, emoji, "DELETE")

    def retitle(self, conversation_id, username, title):
        return self.write("PATCH", f"/conversations/{conversation_id}", {"username": username, "title": title})

    def read(self, conversation_id, username, seq):
        return self.write("PUT", f"/conversations/{conversation_id}/read", {"username": username, "seq": seq})

    def seq_page(self, conversation_id, **query):
        page = self.get("/messages/", conversation_id=conversation_id, **query).ok
        assert set(page) == {"messages", "has_next", "has_prev"}, page
        assert type(page["has_next"]) is type(page["has_prev"]) is bool, page
        return page

    def list_page(self, username, **query):
        page = self.get("/conversations/", username=username, **query).ok
        assert set(page) == {"epoch", "username", "conversations", "has_next"}, page
        assert page["username"] == username and type(page["has_next"]) is bool, page
        return page

    def listed(self, username, conversation_id):
        """Returns one conversation as that user's list shows it."""
        (found,) = [entry for entry in self.list_page(username, limit=1000)["conversations"]
                    if entry["id"] == conversation_id]
        return found

    def changes(self, conversation_id, **query):
        page = self.get(f"/conversations/{conversation_id}/changes", **query).ok
        always = {"epoch", "version", "has_next", "messages", "members"}
        assert always <= set(page) <= always | {"conversation", "read"} and type(page["has_next"]) is bool, page
        return page


def send_raw(stack, data):
    """Sends these bytes, and returns the answer. `data` may be longer than the server reads."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=TIMEOUT_S) as connection:
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has answered already
        method, target = (*data.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "")[:2]
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        return Answer(response, method, target.removeprefix(stack.prefix))


def raw_request(stack, method, target, headers=(), body=b""):
    """Does as send_raw, with a head made of bytes: the target is sent unchanged."""
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: localhost", b"Connection: close", *headers]
    return send_raw(stack, b"\r\n".join(lines) + b"\r\n\r\n" + body)


def at_once(jobs):
    """Calls all jobs at once, each in a thread; returns their results in order. A job that fails fails the test."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]


class Books:
    """The whole content of imd's database, to assert that a request changed nothing."""

    def __init__(self, stack):
        self._database = stack.database
        self._close = contextlib.ExitStack()
        self._commits = self._close.enter_context(self._database.commits())
        self._version = self._held = None

    def close(self):
        self._close.close()

    def read(self):
        """Returns {table: (rows, digest)}."""
        # If nobody has committed, there is nothing to read again.
        version = self._commits()
        if version != self._version:
            with self._database.reading() as ask:
                self._version, self._held = version, {table: self._digest(ask, table) for table in self._tables(ask)}
        return self._held

    def _tables(self, ask):
        tables = self._database.tables(ask)
        assert {"account", "conversation", "membership", "message"} <= tables, tables
        # The relay trims the outbox at its own pace, and `instance` counts the time.
        return tables - {"outbox", "instance", "probe"}

    @staticmethod
    def _digest(ask, table):
        # Rows that cleared reactions leave behind are swept at their own pace.
        counts = {"reaction_set": " WHERE place IS NOT NULL",
                  "reaction": " WHERE set_id IN (SELECT id FROM reaction_set WHERE place IS NOT NULL)"}.get(table, "")
        rows = sorted(map(repr, ask(f'SELECT * FROM "{table}"{counts}')))
        return len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
