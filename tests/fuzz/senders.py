"""
Sends what malform.py makes and judges what comes back: through nginx in pipelines, and straight at imd's socket on many
connections at once. A fault is an answer that no request may get, or none where there must be one.
"""
import collections
import json
import re
import socket

import fastcgi
from fastcgi import END, STDOUT

TIMEOUT_S = 30
PIPELINED = 10  # requests on one connection to nginx, on average
RAW_AT_ONCE = 16
FAULTS_KEPT = 5

LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.I)
CLOSED = (BrokenPipeError, ConnectionResetError)


class Tally:
    """What was sent and what came of it."""

    def __init__(self):
        self.kinds = collections.Counter()
        self.statuses = collections.Counter()
        self.faults = []

    def fault(self, what, request, answer=b""):
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(f"{what}\n  request: {request[:1500]!r}\n  answer: {answer[:600]!r}")

    def judge(self, side, status, media_type, body, request):
        """Every answer; a problem must say in JSON which it is."""
        self.statuses[f"{side} {status}"] += 1
        if status >= 500:
            self.fault(f"{side}: status {status}", request, body)
        if status < 400 or body is None:
            return
        try:
            problem = json.loads(body)
            sound = (b"application/problem+json" in media_type and isinstance(problem["code"], str)
                     and isinstance(problem["error"], str) and problem["status"] == status)
        except (ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            self.fault(f"{side}: a problem that is none", request, media_type + b" " + body)


# -- HTTP

class Answers:
    """Takes HTTP answers off a connection."""

    def __init__(self, connection):
        self._connection = connection
        self._data = b""
        self._at = 0

    def _more(self):
        try:
            data = self._connection.recv(262_144)
        except ConnectionResetError:
            data = b""
        self._data = self._data[self._at:] + data
        self._at = 0
        return data != b""

    def next(self, to_head):
        """(status, head, body); body None where it has none. None: closed."""
        while (end := self._data.find(b"\r\n\r\n", self._at)) < 0:
            if not self._more():
                return None
        head = self._data[self._at:end]
        self._at = end + 4
        status = int(head[9:12]) if head.startswith(b"HTTP/1.") else 0
        length = LENGTH.search(head)
        if to_head or status < 200 or length is None:
            return status, head, None
        size = int(length[1])
        while len(self._data) - self._at < size:
            if not self._more():
                return None
        body = self._data[self._at:self._at + size]
        self._at += size
        return status, head, body

    def rest(self):
        while self._more():
            pass
        return self._data[self._at:]


def through_nginx(port, maker, tally, count):
    """`count` requests on one connection; the last of them breaks it."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
        answers = Answers(connection)
        batch = [maker.http() for _ in range(count - 1)]
        last = maker.broken_http()
        tally.kinds.update([kind for kind, _, _ in batch] + [last[0]])
        try:
            connection.sendall(b"".join(data for _, _, data in batch))
        except CLOSED:
            pass  # nginx has had enough of one of them, and has answered it
        for at, (_, to_head, data) in enumerate(batch):
            answer = answers.next(to_head)
            if answer is None:
                # nginx closes after what it refused; what it has not read is lost.
                tally.statuses["nginx unanswered"] += count - at
                if at == 0:
                    tally.fault("nginx: closed without an answer", data)
                return
            status, head, body = answer
            tally.judge("nginx", status, head, body, data)
        break_connection(connection, answers, last[1], tally)


def break_connection(connection, answers, data, tally):
    try:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
    except (*CLOSED, OSError):
        pass  # it has answered and closed
    if data.startswith(b"HEAD "):
        answers.rest()
        return
    while (answer := answers.next(False)) is not None:
        status, head, body = answer
        if status == 101:
            tally.statuses["nginx 101"] += 1
            answers.rest()
            return
        if status == 0:
            return  # of HTTP 0.9 there is no head
        tally.judge("nginx", status, head, body, data)
        if b"\r\nConnection: close" in head:
            return  # though nginx may linger


# -- FastCGI

class Line:
    """One connection to imd's socket, kept as long as it is."""

    def __init__(self, path):
        self._path = path
        self._connection = None
        self.request = b""
        self.kind = None
        self.sound = True

    def send_sound(self, maker, tally):
        self.kind, self.request = maker.fastcgi()
        self.sound = True
        tally.kinds[self.kind] += 1
        self._connection = self._connection or fastcgi.connect(self._path, TIMEOUT_S)
        try:
            self._connection.sendall(self.request)
        except CLOSED:
            pass  # the missing answer tells

    def send_broken(self, maker, tally):
        """On a new connection or on a kept one, whichever is there."""
        self.kind, pieces = maker.broken_fastcgi()
        self.request = b"".join(pieces)
        self.sound = False
        tally.kinds[self.kind] += 1
        self._connection = self._connection or fastcgi.connect(self._path, TIMEOUT_S)
        try:
            for piece in pieces:
                self._connection.sendall(piece)
            self._connection.shutdown(socket.SHUT_WR)
        except (*CLOSED, OSError):
            pass  # it has had enough

    def receive(self, tally):
        output, ended = self._output()
        if ended:
            head, _, body = output.partition(b"\r\n\r\n")
            to_head = not body and b"Content-Length: 0" not in head
            tally.judge("imd", int(head[8:11]) if head.startswith(b"Status: ") else 0, head, None if to_head else body, self.request)
        else:
            tally.statuses["imd dropped"] += 1
            if self.sound:
                tally.fault(f"imd: no answer to a sound request ({self.kind})", self.request, output)
        if not self.sound or not ended:
            self.close()

    def _output(self):
        """What the answer's records hold, and whether it came to its end."""
        data, at, output = b"", 0, b""
        while True:
            while len(data) - at >= 8:
                size = 8 + (data[at + 4] << 8 | data[at + 5]) + data[at + 6]
                if len(data) - at < size:
                    break
                if data[at + 1] == STDOUT:
                    output += data[at + 8:at + 8 + (data[at + 4] << 8 | data[at + 5])]
                elif data[at + 1] == END:
                    return output, True
                at += size
            try:
                more = self._connection.recv(262_144)
            except ConnectionResetError:
                more = b""
            if not more:
                return output, False
            data, at = data[at:] + more, 0

    def close(self):
        if self._connection:
            self._connection.close()
        self._connection = None


def at_the_socket(lines, maker, tally, count):
    used = lines[:count]
    for line in used:
        if maker.dice.random() < 0.5:
            line.send_sound(maker, tally)
        else:
            line.send_broken(maker, tally)
    for line in used:
        line.receive(tally)


def send_all(port, path, maker, count, done):
    """Sends `count` requests, half of them each way; counts them in done.value."""
    tally = Tally()
    lines = [Line(path) for _ in range(RAW_AT_ONCE)]
    left = count
    try:
        while left > 0:
            step = min(left, maker.dice.randrange(1, 2 * PIPELINED))
            through_nginx(port, maker, tally, step)
            left -= step
            for at in range(0, min(left, step), RAW_AT_ONCE):
                at_the_socket(lines, maker, tally, min(RAW_AT_ONCE, left, step - at))
            left -= min(left, step)
            done.value = count - left
    except (TimeoutError, OSError) as failure:
        tally.fault(f"a connection: {failure!r}", b"")
    for line in lines:
        line.close()
    return tally
