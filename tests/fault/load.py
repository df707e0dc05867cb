"""
Load that records its answers. Senders post one message after the other until they are stopped. Each records which
messages were answered and which were not. Afterwards the database must contain what they recorded.
"""
import collections
import http.client
import json
import threading

from chat import name
from stack import wait_until

Failure = collections.namedtuple("Failure", "sender content status reason")


class Load:
    """
    `fresh` senders take a new connection for each message: on a kept one, a request can cross with nginx's closing of
    it, which says nothing about the server.
    """

    def __init__(self, stack, chat, conversations=3, senders=6, fresh=False, size=0):
        self.stack = stack
        self.chat = chat
        self.users = [name("load") for _ in range(senders)]
        self.conversations = [chat.group(*self.users) for _ in range(conversations)]
        self.answered = {}  # content: message
        self.failed = []
        self._fresh = fresh
        self._padding = "x" * size
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._send_on, args=[number]) for number in range(senders)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def wait_answered(self, count, timeout_s=20):
        """Waits until `count` more messages are answered than now."""
        goal = len(self.answered) + count
        wait_until(lambda: len(self.answered) >= goal, timeout_s,
                   f"{count} more answers, after {len(self.answered)}; failed last: {self.failed[-3:]}")

    def _send_on(self, number):
        connection, sent = None, 0
        while not self._stopped.is_set():
            if connection is None or self._fresh:
                connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=30)
            sent += 1
            content = f"{self.users[number]} {sent}{self._padding}"
            try:
                self._send(connection, number, content, self.conversations[sent % len(self.conversations)])
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(Failure(number, content, None, repr(error)))
                connection.close()
                connection = None
                self._stopped.wait(0.01)
            if self._fresh and connection:
                connection.close()

    def _send(self, connection, number, content, conversation):
        body = {"conversation_id": conversation["id"], "username": self.users[number], "content": content}
        connection.request("POST", self.stack.prefix + "/messages/", json.dumps(body),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status == 200:
            self.answered[content] = json.loads(text)
        else:
            self.failed.append(Failure(number, content, answer.status, text.decode(errors="replace")))
            assert_problem(answer.status, answer.headers, text)

    def assert_stored_once(self):
        """
        Every answered message is stored once, as answered. Every unanswered one is stored at most once. Nothing else
        is.
        """
        refused = {failure.content for failure in self.failed}
        stored = []
        for conversation in self.conversations:
            messages = self.chat.messages(conversation)
            assert [message["seq"] for message in messages] == list(range(1, len(messages) + 1))
            stored += messages
        by_content = {message["content"]: message for message in stored}
        assert len(by_content) == len(stored), "a message is there twice"
        lost = {content: message for content, message in self.answered.items() if by_content.get(content) != message}
        assert not lost, f"{len(lost)} answered messages are not there as answered: {list(lost.values())[:3]}"
        assert set(by_content) <= set(self.answered) | refused


def assert_problem(status, headers, text):
    assert headers["Content-Type"] == "application/problem+json", (status, dict(headers), text)
    problem = json.loads(text)
    assert problem["status"] == status and problem["code"] and problem["error"], problem
    return problem


def assert_unavailable(answer):
    """A `requests` answer that says that the storage is unavailable now, and to retry."""
    assert answer.status_code == 503, (answer.status_code, answer.text)
    assert assert_problem(503, answer.headers, answer.content)["code"] == "storage_unavailable"
    assert int(answer.headers["Retry-After"]) > 0


def first_occurrences(events):
    """
    Returns the versions in the order of their first occurrence, as a client sees them that ignores repeats. Omits the
    creation, which may be older than the socket.
    """
    return list(dict.fromkeys(event["version"] for event in events if event["version"] > 1))
