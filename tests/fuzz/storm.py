#!/usr/bin/python3
"""
A storm of malformed requests, through nginx and directly to the FastCGI socket. None of them may have an effect.

    tests/fuzz/storm.py --requests 1000000 [--seed N]

There are two stacks: one without authentication, one with tokens. Half of the requests are HTTP, derived from
openapi.json, so that each differs from a good one in one input or in several. The other half are FastCGI records, from
noise to a good request in odd pieces. Afterwards this must hold: no process of imd or nginx has ended, no answer was a
5xx, each refusal was a problem in JSON, imd logged no error, its memory has not grown since the first half, the
databases are intact, and users can still talk. Otherwise the exit status is 1. The same seed sends the same requests.
"""
import argparse
import collections
import contextlib
import json
import multiprocessing
import random
import re
import socket
import struct
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/fault")]

import fastcgi  # noqa: E402
from contract import DOCUMENT, expanded  # noqa: E402
from stack import Stack, children, wait_until  # noqa: E402
from tokens import Hs256  # noqa: E402

CLIENTS = 2  # of each kind
BATCH = 32
PATIENCE_S = 30
# Of all processes together. Memory that they keep forever (read caches, room for the largest
# answer) is allocated after the first half, if that is long enough.
GROWTH_MAX = 1.1
HALF_MIN = 200_000
NAMES = ["ann", "bob", "carol", "dave"]

# -- nasty things

NUMBERS = ["0", "-1", "1", "2", "3", "00", "1.5", "1e3", "0x10", "+1", "9" * 19, "9223372036854775807",
           "9223372036854775808", "18446744073709551616", "2147483648", "4294967297", "8589934593", "9" * 400, "",
           " ", "NaN", "null", "%00", "%ff", "%", "%2", "%zz", "１", "1%20", "%31", "1;2", "1,2", "-0", "1&1", "a" * 3000]
TEXTS = ["", "ann", "bob", "x", "a" * 20, "a" * 21, "a" * 5000, "%F0%9F%91%8D", "%ED%A0%80", "%C0%80", "%00", "%2F", "%2e%2e",
         "..", ".", "a%20b", "'; DROP TABLE message; --", "%27%20OR%201=1", "${jndi:x}", "{{7*7}}", "%0d%0aX-A:b", "\\", "\"",
         "<script>", "%u0041", "é", "\x7f"]
JSON_VALUES = ["null", "true", "0", "-1", "1.5", "1e400", "4294967297", "9223372036854775807", "9223372036854775808",
               "1" * 500, "\"\"", "\"ann\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00x\"", "\"\xff\"", "\"\x01\"", "\"" + "a" * 30000 + "\"", "[]", "{}", "[1]",
               "[\"ann\",\"ann\"]", "[[[[]]]]", "[" * 3000, "[" * 1000 + "]" * 1000, "{\"a\":" * 2500, "\"open\"", "\"invite\"",
               "\"owner\"", "\"group_chat\"", "\"private_chat\"", "[\"ann\",\"bob\"]", "1", "2", "3", "\"\\", "tru", "'x'", "-",
               "[" + "\"a\"," * 2000 + "\"b\"]"]
PLAUSIBLE = {"conversation_id": ["1", "2", "3"], "username": ['"ann"', '"bob"', '"eve"'], "content": ['"hi"', '""'],
             "client_id": ['"k1"', '"k2"', "null"], "reply_to": ["1", "2", "null"], "type": ['"group_chat"', '"private_chat"'],
             "members": ['["ann","bob"]', '["carol"]'], "title": ['"Tea"', '""'], "seq": ["1", "2"],
             "role": ['"admin"', '"member"', "null"], "join": ['"open"', '"invite"']}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X" * 50]
ETC = ["/", "//", "/messages//", "/messages/1/x", "/%00", "/conversations/1/../2", "/messages;x", "/_imd/messages", "/_imd_sub/ann",
       "/_imd_error/500", "/_imd_preflight", "/pub", "/status", "/messages/%2e%2e/healthz", "/conversations%2F1", "*", "/ws/../ws",
       "/messages?" + "id=1&" * 800, "/conversations?" + "id=7&" * 900, "/" + "a" * 7000]


def header_values(dice, token):
    """Returns one header or another, mostly none."""
    forged = token[:-3] + dice.choice(["abc", "", "AAA", "..."])
    kinds = [("Authorization", ["Bearer " + token, "Bearer " + forged, "Bearer", "Bearer  ", "Basic YTpi", "bearer a.b.c", "a" * 6000,
                                "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."]),
             ("Cookie", ["imd_token=" + token, "imd_token=" + forged, "imd_token", "=;;=", "a=" + "b" * 5000]),
             ("Origin", ["null", "http://evil.example", "http://bench", "", "|||", "http://a|b"]),
             ("Idempotency-Key", ["k1", "", "x" * 64, "x" * 65, "\xff", "é", "\t"]),
             ("Accept", ["text/event-stream", "*/*", "application/json;q=0", "\xff"]),
             ("Upgrade", ["websocket", "h2c", ""]), ("Sec-WebSocket-Version", ["13", "8", ""]),
             ("If-None-Match", ["0", "\"x\""]), ("If-Modified-Since", ["Thu, 01 Jan 1970 00:00:00 GMT", "0"]),
             ("Last-Event-ID", ["0", "1:1"]), ("Range", ["bytes=0-1,5-2", "x"]), ("Content-Type", ["text/html", "", "\xff"]),
             ("X-Accel-Redirect", ["/_imd_sub/ann"]), ("Remote-User", ["ann"]), ("REMOTE_USER", ["ann"]),
             ("X-Request-Id", ["x" * 500]), ("X-" + "y" * 200, ["z" * 2000]), ("Access-Control-Request-Method", ["POST"])]
    return [(name, dice.choice(values)) for name, values in dice.sample(kinds, dice.choice([0, 0, 1, 1, 2, 4]))]


# -- HTTP


class Operation:
    def __init__(self, method, path, item):
        self.method, self.path = method.upper(), path
        self.queries = [each["name"] for each in item.get("parameters", []) if each["in"] == "query"]
        self.fields = []
        if "requestBody" in item:
            self.fields = list(item["requestBody"]["content"]["application/json"]["schema"]["properties"])


def operations():
    found = []
    for path, item in expanded(DOCUMENT["paths"]).items():
        for method, operation in item.items():
            if method != "parameters":
                shared = {"parameters": item.get("parameters", []) + operation.get("parameters", [])}
                found.append(Operation(method, path, {**operation, **shared}))
    return found


OPERATIONS = operations()


def target(dice, operation):
    def fill(match):
        good = {"id": ["1", "2", "3"], "emoji": ["%F0%9F%91%8D", "+1"], "name": NAMES}[match[1]]
        return dice.choice(good) if dice.random() < 0.6 else dice.choice(NUMBERS + TEXTS)

    path = re.sub(r"{(\w+)}", fill, operation.path)
    pairs = []
    for name in operation.queries:
        if dice.random() < 0.5:
            good = NAMES if name in ("username", "token") else ["1", "2", "100"]
            pairs.append(f"{name}={dice.choice(good) if dice.random() < 0.5 else dice.choice(NUMBERS + TEXTS)}")
    if dice.random() < 0.1:
        pairs.append(dice.choice(NUMBERS + TEXTS) + "=" + dice.choice(TEXTS))
    return path + dice.choice(["", "", "/"]) + ("?" + "&".join(pairs) if pairs else "")


def body(dice, operation):
    members = []
    for name in operation.fields + ([] if dice.random() < 0.9 else ["x", "username"]):
        if dice.random() < 0.85:
            good = PLAUSIBLE.get(name, JSON_VALUES)
            members.append(f'"{name}":{dice.choice(good) if dice.random() < 0.7 else dice.choice(JSON_VALUES)}')
    text = ("{" + ",".join(members) + "}").encode("latin-1", "replace")
    luck = dice.random()
    if luck < 0.08 and text:
        cut = dice.randrange(len(text))
        text = text[:cut]
    elif luck < 0.2 and text:
        at = dice.randrange(len(text))
        text = text[:at] + bytes([dice.randrange(256)]) + text[at + dice.randrange(2):]
    elif luck < 0.23:
        text = dice.choice(JSON_VALUES).encode("latin-1")
    return text


def encoded(line, headers, content):
    head = [line, "Host: bench", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(head).encode("utf-8", "replace") + b"\r\n\r\n" + content


# What follows a request on its connection: the next request; nothing, because the answer may be a
# stream or not an HTTP answer; or the end of the connection, because the request is incomplete.
NEXT, LAST, CUT = range(3)


def http_request(dice, token):
    """Returns (bytes, what follows it)."""
    operation = dice.choice(OPERATIONS)
    method = operation.method if dice.random() < 0.9 else dice.choice(METHODS)
    address = target(dice, operation) if dice.random() < 0.95 else dice.choice(ETC)
    address = address.replace(" ", "%20") if dice.random() < 0.99 else address
    headers = header_values(dice, token)
    content = body(dice, operation) if operation.fields or dice.random() < 0.05 else b""
    plain = not address.startswith("/ws") and method == operation.method and address.isascii() and " " not in address
    after = NEXT if plain else LAST
    luck = dice.random()
    if luck < 0.02:
        content = b"".join(b"%x\r\n%b\r\n" % (len(content[at:at + 7]), content[at:at + 7])
                           for at in range(0, len(content), 7)) + b"0\r\n\r\n"
        if luck < 0.01:
            content, after = content.replace(b"7\r", dice.choice([b"ff\r", b"-1\r", b"z\r", b"7;x\r"]), 1), CUT
        return encoded(f"{method} {address} HTTP/1.1", [*headers, ("Transfer-Encoding", "chunked")], content), after
    length = str(len(content))
    if luck < 0.04:
        length, after = dice.choice([str(len(content) + 5), "-1", "9" * 30, "x", "600000"]), CUT
    elif luck < 0.05:
        return encoded(dice.choice([f"{method} {address} HTTP/9.9", f"{method} {address}", f"{method}  {address} HTTP/1.1",
                                    "\x00\x01", f"{method} http://[ HTTP/1.1", f"{method} {address} HTTP/1.1\r\n: x"]),
                       headers, content), CUT
    if content or luck < 0.06:
        headers = [*headers, ("Content-Length", length)]
    return encoded(f"{method} {address} HTTP/1.1", headers, content), after


class Wrong(Exception):
    """A forbidden answer."""


def check(status, content_type, content, seen, sent):
    seen[status] += 1
    if status >= 500:
        raise Wrong(f"{status} {content[:300]!r} to {sent[:600]!r}")
    if status >= 400:
        try:
            # On the FastCGI socket a request's id may be any bytes, and is echoed.
            problem = json.loads(content.decode("utf-8", "replace"))
            assert content_type == b"application/problem+json" and problem["status"] == status and problem["code"]
        except (ValueError, KeyError, AssertionError):
            raise Wrong(f"{status} {content_type} {content[:300]!r} to {sent[:600]!r}") from None


HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) .*?\r\n(.*?)\r\n\r\n", re.S)
LENGTH = re.compile(rb"(?i)content-length: (\d+)")
TYPE = re.compile(rb"(?i)content-type: ([^\r]+)")


class HttpClient:
    def __init__(self, port):
        self.port = port
        self.connection = None
        self.data = b""

    def connect(self):
        self.close()
        self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        self.data = b""

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def more(self):
        data = self.connection.recv(262144)
        self.data += data
        return bool(data)

    def answer(self, seen, sent, after):
        """Reads one answer. Returns False if the connection ended instead, or ends now."""
        while not (head := HEAD.match(self.data)):
            if not self.more():
                return False
        status, length = int(head[1]), LENGTH.search(head[2])
        if status in (100, 101) or not length:
            seen[status] += status != 100
            return False
        end = head.end() + (0 if sent.startswith(b"HEAD ") else int(length[1]))
        while len(self.data) < end:
            if not self.more():
                return False
        content, self.data = self.data[head.end():end], self.data[end:]
        kind = TYPE.search(head[2])
        # nginx answers with its own page if the rest of a refused request is not HTTP.
        own_page = status == 400 and after != NEXT and kind and kind[1] == b"text/html"
        if own_page or sent.startswith(b"HEAD "):
            seen["nginx's own 400" if own_page else status] += 1
        else:
            check(status, kind and kind[1], content, seen, sent)
        return b"connection: close" not in head[2].lower()

    def batch(self, requests, seen):
        """Sends consecutive requests. Only the last of them may end the connection. Returns how many were handled."""
        if not self.connection:
            self.connect()
        dealt_with = 0
        try:
            self.connection.sendall(b"".join(sent for sent, _ in requests))
            if requests[-1][1] == CUT:
                self.connection.shutdown(socket.SHUT_WR)
            for sent, after in requests:
                dealt_with += 1
                if not self.answer(seen, sent, after) or after != NEXT:
                    break
            else:
                return dealt_with
        except (BrokenPipeError, ConnectionResetError):
            seen["hung up"] += 1
        except TimeoutError:
            raise Wrong(f"no answer to {requests[dealt_with - 1]}, number {dealt_with} of {requests}") from None
        self.close()
        return max(dealt_with, 1)


def http_storm(dice, stacks, count, seen, tell):
    clients = [(HttpClient(stack["port"]), stack["token"]) for stack in stacks]
    done = 0
    while done < count:
        client, token = dice.choice(clients)
        made = [http_request(dice, token)]
        while len(made) < min(BATCH, count - done) and made[-1][1] == NEXT:
            made.append(http_request(dice, token))
        # nchan 1.3.6 ignores a subscription that follows immediately on a request's body, so it is
        # sent by itself.
        alone = [made.pop()] if len(made) > 1 and made[-1][1] != NEXT else []
        for requests in filter(None, (made, alone)):
            dealt_with = client.batch(requests, seen)
            done += dealt_with
            tell(dealt_with)
    for client, _ in clients:
        client.close()


# -- FastCGI


def parameters(dice, operation, content):
    route, _, query = target(dice, operation).partition("?")
    values = {"REQUEST_METHOD": operation.method, "IMD_PATH": route.rstrip("/"), "QUERY_STRING": query,
              "CONTENT_LENGTH": str(len(content)), "REQUEST_ID": "0123456789abcdef" * 2, "REMOTE_ADDR": "127.0.0.1",
              "SERVER_ADDR": "127.0.0.1"}
    for _ in range(dice.choice([0, 0, 1, 1, 2])):
        name = dice.choice([*values, "HTTP_AUTHORIZATION", "IMD_COOKIE", "REMOTE_USER", "IMD_ORIGIN", "HTTP_ACCEPT", "X" * 300, ""])
        # Not a valid length that is too large: imd would wait for the rest.
        nasty = NUMBERS + TEXTS if name != "CONTENT_LENGTH" else ["", "0", "-1", "x", "9" * 30]
        values[name] = dice.choice(nasty)
    return values


def records(dice):
    """Returns (bytes, whether they are one whole request that may keep its connection)."""
    operation = dice.choice(OPERATIONS)
    content = body(dice, operation) if operation.fields else b""
    keep = dice.random() < 0.8
    head = fastcgi.begin(fastcgi.KEEP if keep else 0)
    pairs = fastcgi.pairs(parameters(dice, operation, content))
    luck = dice.random()
    if luck < 0.7:
        data = head + fastcgi.record(fastcgi.PARAMS, pairs) + fastcgi.record(fastcgi.PARAMS)
        step = dice.choice([65535, 1000, 8191])
        data += b"".join(fastcgi.record(fastcgi.STDIN, content[at:at + step], padding=dice.choice([0, 0, 7]))
                         for at in range(0, len(content), step))
        return data + fastcgi.record(fastcgi.STDIN), keep
    odd = [fastcgi.record(dice.randrange(256), dice.randbytes(dice.randrange(300)), number=dice.choice([0, 1, 2, 65535]),
                          version=dice.choice([1, 1, 0, 2, 255]), length=dice.choice([None, None, 0, 1, 65535]),
                          padding=dice.choice([0, 0, 255])),
           fastcgi.begin(dice.randrange(256), dice.choice([0, 1, 2, 3, 65535]), dice.choice([0, 1, 7])),
           fastcgi.record(fastcgi.ABORT), fastcgi.record(fastcgi.PARAMS, dice.randbytes(dice.randrange(2000))),
           fastcgi.record(fastcgi.STDIN, b"x" * dice.randrange(60000)), dice.randbytes(dice.randrange(1, 400)),
           fastcgi.record(fastcgi.GET_VALUES, fastcgi.pairs({"FCGI_MAX_CONNS": ""}), number=0)]
    whole = [head, fastcgi.record(fastcgi.PARAMS, pairs), fastcgi.record(fastcgi.PARAMS),
             fastcgi.record(fastcgi.STDIN, content[:65535]), fastcgi.record(fastcgi.STDIN)]
    if luck < 0.85:
        whole.insert(dice.randrange(len(whole) + 1), dice.choice(odd))
        data = b"".join(whole)
    elif luck < 0.95:
        data = bytearray(b"".join(whole))
        for _ in range(dice.randrange(1, 5)):
            data[dice.randrange(len(data))] = dice.randrange(256)
    else:
        data = b"".join(whole)
        data = data[:dice.randrange(len(data))]
    return bytes(data), False


class RawClient:
    def __init__(self, path):
        self.path = path
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def send(self, data, keep, seen):
        try:
            if not self.connection:
                self.connection = fastcgi.connect(self.path, PATIENCE_S)
            self.connection.sendall(data)
            if not keep:
                self.connection.shutdown(socket.SHUT_WR)
            status, content = self.read()
            check(status, b"application/problem+json" if status >= 400 else b"", content, seen, data)
        except (ConnectionError, struct.error):
            seen["dropped"] += 1
            keep = False
        if not keep:
            self.close()

    def read(self):
        """Returns one answer. ConnectionError: the connection ended first."""
        output = b""
        while True:
            _, kind, _, size, padding, _ = struct.unpack("!BBHHBB", fastcgi.read_exactly(self.connection, 8))
            content = fastcgi.read_exactly(self.connection, size + padding)[:size]
            if kind == fastcgi.STDOUT:
                output += content
            if kind == fastcgi.END:
                break
        head, _, content = output.partition(b"\r\n\r\n")
        status = re.search(rb"Status: (\d{3})", head)
        return int(status[1]) if status else 200, content or b"{}"


def raw_storm(dice, stacks, count, seen, tell):
    clients = [RawClient(stack["socket"]) for stack in stacks]
    for number in range(count):
        data, keep = records(dice)
        dice.choice(clients).send(data, keep, seen)
        if number % BATCH == 0:
            tell(min(BATCH, count - number))
    for client in clients:
        client.close()


# -- the whole

STORMS = {"http": http_storm, "raw": raw_storm}


def client(kind, seed, stacks, count, sent, results):
    seen = collections.Counter()

    def tell(number):
        with sent.get_lock():
            sent.value += number

    try:
        STORMS[kind](random.Random(seed), stacks, count, seen, tell)
        results.put((kind, dict(seen), None))
    except Exception as failure:  # any failure is the storm's result
        results.put((kind, dict(seen), f"{type(failure).__name__}: {failure}"))


def pss_mb(stacks):
    """Returns the memory of all processes of imd."""
    pids = [pid for stack in stacks for pid in [stack.master_pid, *children(stack.master_pid)]]
    return sum(int(re.search(r"Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())[1]) for pid in pids) / 1024


def pids(stack):
    return [stack.master_pid, stack.relay(), *stack.workers(), stack.nginx_pid, *children(stack.nginx_pid)]


def chat_goes_on(stack, key):
    """Asserts that users can still talk."""
    def ask(method, path, value=None):
        connection = HttpClient(stack.port)
        connection.connect()
        content = b"" if value is None else json.dumps(value).encode()
        headers = [("Authorization", "Bearer " + key.token("ann")), ("Content-Length", len(content)), ("Connection", "close")]
        connection.connection.sendall(encoded(f"{method} {path} HTTP/1.1", headers, content))
        while connection.more():
            pass
        connection.close()
        head = HEAD.match(connection.data)
        assert int(head[1]) == 200, connection.data
        return json.loads(connection.data[head.end():])

    group = ask("POST", "/conversations/", {"type": "group_chat", "members": ["ann", "bob"], "username": "ann"})["id"]
    said = ask("POST", "/messages/", {"conversation_id": group, "username": "ann", "content": "still here"})
    assert said["seq"] == 1
    assert ask("GET", f"/messages/?conversation_id={group}")["messages"] == [said]


def soundness(stack):
    return stack.database.damage() or "ok"


class Storm:
    def __init__(self, requests, seed, show=print):
        self.requests, self.seed, self.show = requests, seed, show
        self.wrong = []
        self.seen = {kind: collections.Counter() for kind in STORMS}

    def run(self):
        """Returns True if the storm had no effect."""
        key = Hs256("dev")
        # Each thread keeps the room of its largest answer. With few threads, all have had theirs
        # soon.
        few = {"imd_flags": ["--threads=8"], "nginx_workers": 2}
        with Stack(**few) as none, Stack(**few, env={"AUTH": "jwt"}) as jwt:
            key = Hs256("dev", (jwt.state / "keys/dev.hs256").read_bytes())
            self.stacks = [none, jwt]
            for stack in self.stacks:
                for _ in range(3):
                    chat_goes_on(stack, key)
            before = [(pids(stack), len(stack.log())) for stack in self.stacks]
            begun = time.monotonic()
            self.rage(key)
            self.seconds = time.monotonic() - begun
            self.judge(before, key)
        return not self.wrong

    def rage(self, key):
        stacks = [{"port": stack.port, "socket": str(stack.state / "imd.sock"), "token": key.token("ann", lives_s=86400)}
                  for stack in self.stacks]
        sent, results = multiprocessing.Value("q", 0), multiprocessing.Queue()
        share = self.requests // (len(STORMS) * CLIENTS)
        clients = [multiprocessing.Process(target=client, args=(kind, f"{self.seed} {kind} {number}", stacks, share, sent, results))
                   for kind in STORMS for number in range(CLIENTS)]
        for each in clients:
            each.start()
        self.half_mb, told, begun = None, 0.0, time.monotonic()
        finished = 0
        while finished < len(clients):
            with contextlib.suppress(multiprocessing.queues.Empty):
                kind, seen, failure = results.get(timeout=1)
                finished += 1
                self.seen[kind].update(seen)
                if failure:
                    self.wrong.append(f"{kind}: {failure}")
            if self.half_mb is None and sent.value >= self.requests / 2:
                self.half_mb = pss_mb(self.stacks)
            if time.monotonic() - told >= (2 if sys.stderr.isatty() else 20):
                told = time.monotonic()
                print(f"storm: {sent.value:,} of {self.requests:,}, {sent.value / (told - begun + 0.001):,.0f}/s,"
                      f" {pss_mb(self.stacks):.1f} MB", file=sys.stderr, flush=True)
        for each in clients:
            each.join()
        self.sent = sent.value

    def judge(self, before, key):
        for stack, (old, logged) in zip(self.stacks, before):
            if (now := pids(stack)) != old:
                self.wrong.append(f"processes ended: {old} became {now}; {stack.log()[-2000:]}")
            for line in stack.log()[logged:].splitlines():
                if "event=request_failed" in line or "level=error" in line:
                    self.wrong.append(line)
            wait_until(lambda: soundness(stack) == "ok", PATIENCE_S, "the database is sound")
            chat_goes_on(stack, key)
        self.end_mb = pss_mb(self.stacks)
        self.half_mb = self.half_mb or self.end_mb
        if self.requests >= 2 * HALF_MIN and self.end_mb > self.half_mb * GROWTH_MAX:
            self.wrong.append(f"memory grew from {self.half_mb:.1f} to {self.end_mb:.1f} MB")

    def summary(self):
        lines = [f"{self.sent:,} malformed requests in {self.seconds:.0f} s ({self.sent / self.seconds:,.0f} a second), seed {self.seed}"]
        titles = {"http": "through nginx", "raw": "at the FastCGI socket"}
        for kind, seen in self.seen.items():
            counts = ", ".join(f"{name}: {count:,}" for name, count in sorted(seen.items(), key=lambda each: str(each[0])))
            lines.append(f"  {titles[kind]}: {counts}")
        lines.append(f"  memory of two imds: {self.half_mb:.1f} MB after the first half, {self.end_mb:.1f} MB at the end")
        lines += [f"  WRONG: {each}" for each in self.wrong] or ["  no process ended, no 5xx, the databases are sound"]
        return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    options = parser.parse_args()
    print(f"SEED={options.seed}", flush=True)
    storm = Storm(options.requests, options.seed)
    fine = storm.run()
    print(storm.summary())
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
