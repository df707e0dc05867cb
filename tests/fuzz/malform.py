"""
Requests with something wrong in them, made from the routes that openapi.json names, so that each is hit.

A Draft begins as a request that is nearly right and is then bent, by one of BENDS or several. As HTTP it may be
BROKEN as well, which nginx answers by closing the connection; as FastCGI its records may be (FRAMES).
Pure: the same dice make the same bytes. Must not know sockets.
"""
import json
import struct
from urllib.parse import quote

import contract
import fastcgi
from fastcgi import PARAMS, STDIN, begin, pairs, record

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "FOO", "LOCK", "X" * 30)
TEXTS = ("", " ", "a", "ann bob", "../..", "'; DROP TABLE message; --", "\u0000", "\u202e", "\ufeff", "👍" * 30, "é" * 200,
         "null", "-1", "0", "1e9", "%00", "<script>", "\\", "\"", "\r\nX: y", "x" * 70000, "_" * 20, "_" * 21)
NUMBERS = (0, -1, 1, 2 ** 31, 2 ** 53 + 1, 2 ** 63 - 1, 2 ** 63, 2 ** 64, -2 ** 63, -2 ** 63 - 1, 10 ** 40, 1.5, 1e308, -0.0)
WILD = (None, True, False, [], {}, [[]], [{}], {"": ""}, {"a": [1]}, [None], ["ann"] * 300, *NUMBERS, *TEXTS)
# JSON that json.dumps() would not write.
TOKENS = (b"NaN", b"-Infinity", b"01", b"1.", b"+1", b"1e400", b"-", b"nul", b"tru", b"'a'", b"\"\\x\"", b"\"\\ud800\"",
          b"\"\\udc00\\ud800\"", b"\"\\u0000\"", b"\"\xff\"", b"\"\xc0\x80\"", b"\"\xed\xa0\x80\"", b"\"\xf5\x80\x80\x80\"",
          b"\"a", b"\"\n\"", b"9" * 400, b"[" * 3000, b"[" * 1000 + b"]" * 1000, b"{\"a\":" * 2500, b"/**/1", b"\xef\xbb\xbf1", b"")
ESCAPES = ("%", "%%", "%2", "%zz", "%00", "%ff", "%c0%80", "%ed%a0%80", "%F0%9F%91", "+", "%2B", "&&", "=", "==", "%26", "\\",
           "%0a", "%2e%2e")
SEGMENTS = ("0", "-1", "01", "1.0", "1e3", "9" * 18, "9" * 19, "9" * 200, "9223372036854775807", "9223372036854775808", "", ".", "..",
            "%2e", "%2F", "a", "{id}", "%F0%9F%91%8D", "%ff", "%c3", "%20", "%0a", "%7f", "x" * 65, "+", "~", "*", "join",
            "reactions", "%25", ";a=b", "members")


class Operation:
    def __init__(self, method, path, item, operation):
        self.method = method.upper()
        self.path = path
        parameters = item.get("parameters", []) + operation.get("parameters", [])
        self.query = {p["name"]: p["schema"] for p in parameters if p["in"] == "query"}
        body = operation.get("requestBody")
        self.body = properties(body["content"]["application/json"]["schema"]) if body else None


def properties(schema):
    """The members that a schema names, also through allOf and its like."""
    found = dict(schema.get("properties", {}))
    for word in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(word, []):
            found.update(properties(part))
    return found


def operations():
    paths = contract.expanded(contract.DOCUMENT["paths"])
    return [Operation(method, path, item, item[method]) for path, item in paths.items() for method in item
            if method != "parameters"]


class World:
    """What there is to be named: few enough that names and ids meet."""

    def __init__(self, users, conversations, messages):
        self.users = users
        self.conversations = conversations
        self.messages = messages

    def plausible(self, dice, name, schema):
        known = {"username": self.users, "conversation_id": self.conversations, "id": self.conversations,
                 "reply_to": self.messages, "type": ["group_chat", "private_chat"], "emoji": ["👍", "é", "ok"],
                 "content": ["hello", ""], "title": ["Tea"], "client_id": ["k1", "k2"], "limit": [1, 2, 5]}
        if name == "members":
            return dice.sample(self.users, dice.randrange(1, 4))
        if name in known:
            return dice.choice(known[name])
        if "enum" in schema:
            return dice.choice(schema["enum"])
        return dice.choice((0, 1, 5, 1000)) if "seq" in name or "after" in name or "before" in name else "member"


class Draft:
    def __init__(self, dice, operation, world):
        self.method = operation.method
        self.segments = operation.path.strip("/").split("/")
        ids = world.messages if self.segments[0] == "messages" else world.conversations
        for at, segment in enumerate(self.segments):
            if segment == "{id}":
                self.segments[at] = str(dice.choice(ids))
            elif segment.startswith("{"):
                self.segments[at] = quote(str(world.plausible(dice, segment[1:-1], {})))
        self.query = [(name, str(world.plausible(dice, name, schema))) for name, schema in operation.query.items()
                      if name == "username" or dice.random() < (0.9 if name == "limit" else 0.3)]
        self.query_text = None
        self.fields = None
        if operation.body is not None:
            self.fields = {name: world.plausible(dice, name, schema) for name, schema in operation.body.items()
                           if name in ("username", "conversation_id", "members", "type") or dice.random() < 0.5}
        self.body = None
        self.headers = []

    def path(self):
        return "/" + "/".join(self.segments)

    def query_string(self):
        if self.query_text is not None:
            return self.query_text
        return "&".join(f"{name}={quote(value)}" for name, value in self.query)

    def content(self):
        if self.body is None and self.fields is not None:
            self.body = json.dumps(self.fields).encode()
        return self.body or b""


# -- bends: what may be wrong in a request that is a request

def bend_method(dice, draft):
    draft.method = dice.choice(METHODS)


def bend_path(dice, draft):
    at = dice.randrange(len(draft.segments))
    way = dice.randrange(4)
    if way == 0:
        draft.segments.insert(at, dice.choice(SEGMENTS))
    elif way == 1 and len(draft.segments) > 1:
        del draft.segments[at]
    else:
        draft.segments[at] = dice.choice(SEGMENTS)


def bend_query_value(dice, draft):
    name = dice.choice(draft.query)[0] if draft.query else dice.choice(("username", "id", "limit", "after"))
    draft.query = [pair for pair in draft.query if pair[0] != name] + [(name, str(dice.choice(WILD))[:2000])]


def bend_query_twice(dice, draft):
    draft.query = draft.query * dice.choice((2, 3, 100))


def bend_query_escape(dice, draft):
    text = draft.query_string() or "username=ann"
    at = dice.randrange(len(text) + 1)
    draft.query_text = text[:at] + dice.choice(ESCAPES) + text[at:]


def bend_field(dice, draft):
    if draft.fields:
        draft.fields[dice.choice(list(draft.fields))] = dice.choice(WILD)


def bend_field_away(dice, draft):
    if draft.fields:
        del draft.fields[dice.choice(list(draft.fields))]


def bend_token(dice, draft):
    """A value that is no JSON, or hardly."""
    if draft.fields:
        name = dice.choice(list(draft.fields))
        draft.body = json.dumps({**draft.fields, name: "@@"}).encode().replace(b'"@@"', dice.choice(TOKENS))


def bend_body_cut(dice, draft):
    content = draft.content()
    draft.body = content[:dice.randrange(len(content) + 1)]


def bend_body_bytes(dice, draft):
    content = bytearray(draft.content() or b"{}")
    for _ in range(dice.randrange(1, 4)):
        content[dice.randrange(len(content))] = dice.randrange(256)
    draft.body = bytes(content)


def bend_body_shape(dice, draft):
    content = draft.content()
    draft.body = dice.choice((b"", b" ", b"[]", b"null", b"1", b"\"a\"", b"[" + content + b"]", content + content, content + b"\0",
                              content[:-1] + b"," + content[1:], b"\xff\xfe" + content, b"username=ann", b"--x\r\n"))


def bend_body_long(dice, draft):
    draft.body = (draft.content()[:-1] or b"{") + b",\"pad\":\"" + b"y" * dice.choice((5000, 70_000, 300_000)) + b"\"}"


def bend_header(dice, draft):
    name = dice.choice(("Authorization", "Cookie", "Idempotency-Key", "Accept", "Content-Type", "Origin", "Upgrade", "If-None-Match",
                        "Last-Event-ID", "If-Modified-Since", "Range", "Accept-Encoding", "X-Request-Id", "X-Forwarded-For",
                        "Sec-WebSocket-Key", "Expect-No", "Sec-WebSocket-Version"))
    value = dice.choice(("", "Bearer", "Bearer a.b.c", "Bearer " + "x" * 5000, "Basic !!!", "imd_token=" + "y" * 3000, "\xff\xfe",
                         "a;b=c;;", "bytes=0-", "0", "*/*", "websocket", "k" * 65, "\t x", "gzip", "null", "k1"))
    draft.headers.append((name, value))


def bend_nothing(_dice, _draft):
    """As the document says, as far as it does: what others bend must have something to meet."""


BENDS = {function.__name__.removeprefix("bend_"): function for function in (
    bend_method, bend_path, bend_query_value, bend_query_twice, bend_query_escape, bend_field, bend_field_away, bend_token,
    bend_body_cut, bend_body_bytes, bend_body_shape, bend_body_long, bend_header, bend_nothing)}
# The long ones cost a hundred times what others do.
WEIGHTS = [0.1 if name == "body_long" else 0.4 if name == "nothing" else 1 for name in BENDS]


class Maker:
    """Makes drafts; each route as often as any other."""

    def __init__(self, dice, world):
        self.dice = dice
        self.world = world
        self.operations = operations()
        self.names = list(BENDS)
        self.broken = list(BROKEN)
        self.frames = list(FRAMES)

    def draft(self):
        """(kind, draft)"""
        dice = self.dice
        draft = Draft(dice, dice.choice(self.operations), self.world)
        kinds = dice.choices(self.names, WEIGHTS, k=dice.choice((1, 1, 1, 2, 3)))
        for kind in kinds:
            BENDS[kind](dice, draft)
        return kinds[0], draft

    def http(self):
        """(kind, whether to HEAD, bytes): on a connection that stays."""
        kind, draft = self.draft()
        return "http " + kind, draft.method == "HEAD", as_http(self.dice, draft)

    def broken_http(self):
        """(kind, bytes): as the last thing on a connection."""
        kind = self.dice.choice(self.broken)
        return "http " + kind, BROKEN[kind](self.dice, as_http(self.dice, self.draft()[1]))

    def fastcgi(self):
        """(kind, bytes): records as they should be."""
        kind, draft = self.draft()
        return "fastcgi " + kind, as_fastcgi(draft)

    def broken_fastcgi(self):
        """(kind, pieces)"""
        [kind] = self.dice.choices(self.frames, FRAME_WEIGHTS)
        return "fastcgi " + kind, FRAMES[kind](self.dice, self.draft()[1])


# -- as HTTP

def as_http(dice, draft):
    query = draft.query_string()
    content = draft.content()
    # What would end the request line, or close the connection, is for BROKEN.
    target = "".join(draft.path() + ("?" + query if query else "")).replace(" ", "+").replace("%00", "%01")
    lines = [f"{draft.method} {target[:7000]} HTTP/1.1", "Host: x"]
    lines += [f"{name}: {value}" for name, value in draft.headers]
    if content and dice.random() < 0.2:
        lines.append("Transfer-Encoding: chunked")
        content = chunked(dice, content)
    elif content or draft.method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + content


def chunked(dice, content):
    step = dice.choice((1, 7, 100, 5000)) if len(content) < 2000 else 60_000
    return b"".join(b"%x\r\n%b\r\n" % (len(content[at:at + step]), content[at:at + step])
                    for at in range(0, len(content), step)) + b"0\r\n\r\n"


def with_header(data, *headers):
    line, _, rest = data.partition(b"\r\n")
    return line + b"\r\n" + b"".join(header + b"\r\n" for header in headers) + rest


def turned(dice, data, most=4):
    data = bytearray(data)
    for _ in range(dice.randrange(1, most)):
        data[dice.randrange(min(len(data), 600))] = dice.randrange(256)
    return bytes(data)


BROKEN = {
    "bytes turned": turned,
    "cut": lambda dice, data: data[:dice.randrange(len(data))],
    "noise": lambda dice, _: dice.randbytes(dice.randrange(1, 3000)),
    "request line": lambda dice, data: dice.choice((b"", b"GET", b"GET /", b"GET  /  HTTP/1.1", b"get / http/1.1", b"GET / HTTP/9.9",
                                                    b"GET / HTTP/1.2.3", b"\x16\x03\x01\x02", b"PRI * HTTP/2.0", b"CONNECT x:1 HTTP/1.1",
                                                    b"GET http://x/healthz HTTP/1.1", b"GET /\x00 HTTP/1.1", b"GET /%00 HTTP/1.1",
                                                    b"GET /messages/%ZZ HTTP/1.1", b"\r\n" * 50, b"GET /healthz HTTP/1.0",
                                                    b"TRACE / HTTP/1.1")) + b"\r\n" + data.partition(b"\r\n")[2],
    "long target": lambda dice, data: data.replace(b" HTTP/1.1", b"?" + b"a" * dice.choice((8000, 40_000)) + b" HTTP/1.1", 1),
    "long header": lambda dice, data: with_header(data, b"Authorization: Bearer " + b"x" * dice.choice((8000, 40_000))),
    "many headers": lambda dice, data: with_header(data, *[b"X-%d: y" % n for n in range(dice.choice((300, 3000)))]),
    "bad header": lambda dice, data: with_header(data, dice.choice((b"no colon", b": empty", b"a b: c", b"X: \0", b"\xff: x", b" folded",
                                                                   b"Host: y", b"Host: ", b"Expect: 100-continue", b"Expect: x"))),
    "length too long": lambda dice, data: with_header(data, b"Content-Length: %d" % (len(data) + dice.randrange(1, 5000))),
    "length wrong": lambda dice, data: with_header(data, b"Content-Length: " + dice.choice((b"-1", b"x", b"1 2", b"0x10", b"", b"9" * 30,
                                                                                           b"0", b"1", b"99999999"))),
    "encoding wrong": lambda dice, data: with_header(data, b"Transfer-Encoding: " + dice.choice((b"gzip", b"chunked, chunked", b"x", b""))),
    "chunks that lie": lambda dice, data: with_header(data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", b"Transfer-Encoding: chunked")
    + dice.choice((b"5\r\nhello", b"zz\r\n", b"-1\r\n", b"ffffffffffffffff\r\nx", b"5\r\nhel\r\n0\r\n\r\n", b"1;" + b"x" * 5000, b"\r\n",
                   b"7fffffffffffffff\r\n" + b"x" * 1000)),
    "too much": lambda dice, data: with_header(data, b"Content-Length: 600000") + b" " * dice.choice((0, 1000, 600_000)),
    "socket": lambda dice, _: b"GET /ws?username=%b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n\r\n%b"
                              % (dice.choice((b"ann", b"bob", b"-", b"")), dice.choice((b"AQIDBAUGBwgJCgsMDQ4PEA==", b"x", b"")),
                                 dice.randbytes(dice.randrange(300))),
}


# -- as FastCGI

def parameters(draft, length):
    return {"REQUEST_METHOD": draft.method, "IMD_PATH": draft.path()[:20_000], "QUERY_STRING": draft.query_string()[:20_000],
            "CONTENT_LENGTH": length, "REQUEST_ID": "0123456789abcdef" * 2,
            **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in draft.headers}}


def streams(draft, length=None):
    content = draft.content()
    given = parameters(draft, str(len(content)) if length is None else length)
    return (record(PARAMS, pairs(given)) + record(PARAMS)
            + b"".join(record(STDIN, content[at:at + 32_768]) for at in range(0, len(content), 32_768)) + record(STDIN))


def as_fastcgi(draft):
    return begin(fastcgi.KEEP) + streams(draft)


def frame_turned(dice, draft):
    return [turned(dice, as_fastcgi(draft))]


def frame_cut(dice, draft):
    data = as_fastcgi(draft)
    return [data[:dice.randrange(len(data))]]


def frame_pieces(dice, draft):
    data = as_fastcgi(draft)
    cuts = [0] + sorted(dice.randrange(len(data)) for _ in range(dice.randrange(1, 5))) + [len(data)]
    return [data[start:end] for start, end in zip(cuts, cuts[1:])]


def frame_strange(dice, draft):
    """A record that nobody expects, somewhere among the others; also in the middle of a long body."""
    records = [begin(fastcgi.KEEP), record(PARAMS, pairs(parameters(draft, "90000"))), record(PARAMS), record(STDIN, b" " * 30_000),
               record(STDIN, b" " * 60_000), record(STDIN)]
    strange = record(dice.choice((0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 99, 255)), dice.randbytes(dice.choice((0, 1, 8, 60, 5000))),
                     number=dice.choice((0, 1, 1, 2, 65535)), version=dice.choice((0, 1, 1, 1, 2)), padding=dice.choice((0, 0, 1, 255)))
    records.insert(dice.randrange(len(records) + 1), strange)
    return [b"".join(records)] if dice.random() < 0.5 else records


def frame_header(dice, draft):
    """A record whose header lies."""
    header = struct.pack("!BBHHBB", dice.choice((0, 1, 1, 255)), dice.choice((1, 4, 5, 9)), dice.choice((0, 1, 2)),
                         dice.choice((0, 1, 7, 9, 65535)), dice.choice((0, 1, 255)), 0)
    data = as_fastcgi(draft)
    at = dice.choice((0, 16, len(data) - 8))
    return [data[:at] + header + data[at + 8:]]


def frame_role(dice, draft):
    return [begin(dice.randrange(256), role=dice.choice((0, 2, 3, 65535)), number=dice.choice((0, 1))) + streams(draft)]


def frame_abort(dice, draft):
    return [begin() + record(PARAMS, pairs(parameters(draft, "100"))) + dice.choice((b"", record(PARAMS))) + record(2)]


def frame_pairs(dice, draft):
    """Parameters whose lengths lie."""
    good = pairs(parameters(draft, "0"))
    bad = dice.choice((b"\xff" * 8, b"\x7f\x7f", b"\x01", b"\x80\x00\x00", b"\x80\x01\x00\x00\x01" + b"a" * 50, b"\xff\xff\xff\xff\x01ab"))
    content = dice.choice((good + bad, bad + good, bad, good[:-3], dice.randbytes(200)))
    return [begin() + record(PARAMS, content) + record(PARAMS) + record(STDIN)]


def frame_length(dice, draft):
    return [begin() + streams(draft, dice.choice(("-1", "x", "9" * 30, "1000000", "0", "1", " 5", "", "0x5", "9223372036854775807")))]


def frame_many(dice, draft):
    """More than one request."""
    data = as_fastcgi(draft)
    return [dice.choice((data + data, data + b"\1", data[:16] * 5 + data))]


TOO_MUCH = (begin() + record(PARAMS, b"\1\1ab" * 16_000), begin() + record(PARAMS) + record(STDIN, b"x" * 65_535) * 20)


def frame_too_much(dice, _draft):
    """More than anybody sends."""
    return [dice.choice(TOO_MUCH)]


def frame_noise(dice, _draft):
    return [dice.randbytes(dice.randrange(1, 3000))]


FRAMES = {function.__name__.removeprefix("frame_"): function for function in (
    frame_turned, frame_cut, frame_pieces, frame_strange, frame_header, frame_role, frame_abort, frame_pairs, frame_length,
    frame_many, frame_too_much, frame_noise)}
FRAME_WEIGHTS = [0.1 if name == "too_much" else 1 for name in FRAMES]
