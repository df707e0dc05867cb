"""A WebSocket handshake by hand, for the answers that a WebSocket library hides."""
import json
import re
import socket
import urllib.parse

import contract

UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
REQUEST_ID = re.compile(r"[0-9a-f]{32}")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def assert_problem(self, status, field=None):
        assert self.status == status, (self.status, self.headers, self.body)
        assert self.headers["content-type"] == "application/problem+json"
        problem = json.loads(self.body)
        assert problem["status"] == status
        assert problem["error"] and re.fullmatch("[a-z_]+", problem["code"])
        assert REQUEST_ID.fullmatch(problem["request_id"])
        assert problem["request_id"] == self.headers["x-request-id"]
        if field:
            assert problem["field"] == field


def request(stack, target, headers=None, method="GET"):
    """
    Sends one request and reads the head of the answer, and the body if a Content-Length announces one. The target is
    sent unchanged, so that hostile bytes in it reach the server.
    """
    at = urllib.parse.urlsplit(stack.url)
    lines = [f"{method} {at.path}{target} HTTP/1.1", f"Host: {at.netloc}"]
    lines += [f"{key}: {value}" for key, value in (headers or {}).items()]
    with socket.create_connection((at.hostname, at.port), timeout=15) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        stream = connection.makefile("rb")
        status = int(stream.readline().split()[1])
        found = {}
        for line in iter(stream.readline, b"\r\n"):
            key, _, value = line.decode("latin-1").partition(":")
            found[key.strip().lower()] = value.strip()
        body = b"" if method == "HEAD" else stream.read(int(found.get("content-length", 0)))
    contract.check(method, target, status, found, body)
    return Answer(status, found, body)
