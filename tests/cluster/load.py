"""Posts at a steady rate through both hosts. An unanswered post is repeated, with its key, at the other host."""
import collections
import http.client
import itertools
import json
import threading
import time
import uuid

POSTERS = 24
RATE = 300  # posts a second, of all together
ATTEMPT_S = 5
PAUSE_S = 0.02
# A host that is down, or cannot store anything now.
UNAVAILABLE = (502, 503, 504)


class Load:
    """Between __enter__ and __exit__ it posts into the conversation, as its members in turn."""

    def __init__(self, hosts, conversation, members):
        self._ports = [host.port for host in hosts]
        self._conversation, self._members = conversation, members
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.answered = {}  # by key: the message
        self.times = []     # of each answer: when, and how long after the first attempt
        self.unanswered = collections.Counter()  # attempts, by status or kind of error
        self.failures = []
        self._threads = [threading.Thread(target=self._guard, args=(number,)) for number in range(POSTERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join()
        assert not self.failures, self.failures[0]

    def _guard(self, number):
        try:
            self._post_on(number)
        except BaseException as failure:
            self.failures.append(failure)

    def _post_on(self, number):
        ways = itertools.cycle(self._ports[number % 2:] + self._ports[:number % 2])
        connection = http.client.HTTPConnection("127.0.0.1", next(ways), timeout=ATTEMPT_S)
        username = self._members[number % len(self._members)]
        due = time.monotonic() + number / RATE
        while not self._ended.wait(max(0, due - time.monotonic())):
            due = max(due + POSTERS / RATE, time.monotonic() - 1)  # it does not catch up for long
            body = json.dumps({"conversation_id": self._conversation, "username": username, "content": f"from {number}",
                               "client_id": uuid.uuid4().hex})
            begun = time.monotonic()
            while not (message := self._attempt(connection, body)):
                connection.close()
                connection = http.client.HTTPConnection("127.0.0.1", next(ways), timeout=ATTEMPT_S)
                time_out = threading.Event()
                time_out.wait(PAUSE_S)
            with self._lock:
                self.answered[message["client_id"]] = message
                self.times.append((time.monotonic(), time.monotonic() - begun))
        connection.close()

    def _attempt(self, connection, body):
        """Returns the stored message; None if there is no answer, or one that says to repeat."""
        try:
            connection.request("POST", "/messages/", body)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            with self._lock:
                self.unanswered[type(error).__name__] += 1
            return None
        if answer.status in UNAVAILABLE:
            with self._lock:
                self.unanswered[answer.status] += 1
            return None
        assert answer.status == 200, (answer.status, content)
        return json.loads(content)

    def answers(self):
        with self._lock:
            return len(self.times)

    def pause_since(self, begun):
        """Returns the longest time without any answer since then, and the longest that one post took, in seconds."""
        with self._lock:
            times = sorted((at, took) for at, took in self.times if at >= begun)
        moments = [begun, *(at for at, _ in times)]
        return (max(later - earlier for earlier, later in zip(moments, moments[1:])), max(took for _, took in times))

    def assert_stored_once(self, database):
        rows = database.rows("SELECT m.id, m.client_id, m.place & 4294967295 AS seq, a.name AS sender, m.content"
                             " FROM message m JOIN account a ON a.id = m.sender WHERE m.place >> 32 = ? ORDER BY place",
                             self._conversation)
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1)), "seq has holes"
        stored = {row["client_id"]: row for row in rows}
        assert len(stored) == len(rows), "a post is stored twice"
        # Each post was repeated until it was answered, so nothing else is stored.
        assert stored.keys() == self.answered.keys(), (len(stored), len(self.answered))
        wrong = [(row, self.answered[key]) for key, row in stored.items()
                 if any(row[name] != self.answered[key][name] for name in ("id", "seq", "sender", "content"))]
        assert not wrong, wrong[0]
