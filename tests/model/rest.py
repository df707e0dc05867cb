"""Requests that are repeated, whatever happens to imd and nginx, until there is an answer."""
import collections
import http.client
import json
import threading
import time
from urllib.parse import urlencode

import contract

ATTEMPT_S = 10
DEADLINE_S = 60
PAUSE_S = 0.02
# Statuses of nginx while imd is away, and of imd while it cannot take a request.
UNAVAILABLE = (502, 503, 504)

Answer = collections.namedtuple("Answer", "status headers json")


class Unanswered(Exception):
    """The deadline has passed."""


class Rest:
    """One kept connection. Callers must only send requests that may be repeated."""

    def __init__(self, port):
        self._port = port
        self._connection = None
        self._pause = threading.Event()
        self.failed = collections.Counter()  # failed attempts, by status or kind of error

    def close(self):
        if self._connection:
            self._connection.close()
        self._connection = None

    def ask(self, method, path, body=None, headers=(), allowed=(), **query):
        """Returns the answer: a success, or a refusal with one of the `allowed` statuses."""
        target = f"{path}?{urlencode(query)}" if query else path
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            answer = self._attempt(method, target, body, dict(headers))
            if answer:
                assert answer.status in (200, 202, *allowed), (method, target, body, answer.status, answer.json)
                return answer
            self._pause.wait(PAUSE_S)
        raise Unanswered(f"{method} {target}: {dict(self.failed)}")

    def get(self, path, allowed=(), **query):
        return self.ask("GET", path, allowed=allowed, **query)

    def _attempt(self, method, target, body, headers):
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ATTEMPT_S)
        try:
            self._connection.request(method, target, body and json.dumps(body), headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.failed[type(error).__name__] += 1
            self.close()
            return None
        contract.check(method, target, response.status, response.headers, content)
        if response.status in UNAVAILABLE:
            self.failed[response.status] += 1
            return None
        return Answer(response.status, response.headers, json.loads(content))
