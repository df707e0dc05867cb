import json
import random
import socket
import struct

import pytest

import fastcgi
from chat import Chat, name
from fastcgi import PARAMS, STDIN, begin, pairs, record
from stack import Stack, wait_until


@pytest.fixture(scope="module")
def shared():
    with Stack(imd_flags=["--threads=8"]) as stack:
        yield stack


@pytest.fixture
def stack(shared):
    # Crashes of an earlier test are not this test's fault.
    wait_until(lambda: len(shared.workers()) == 2, 20, "the pool is whole")
    return shared


def noise(seed, size):
    return random.Random(seed).randbytes(size)


def with_params(**values):
    return begin() + record(PARAMS, pairs(values)) + record(PARAMS) + record(STDIN)


NOISE = {
    "zeros": b"\0" * 70000,
    "ones": b"\xff" * 70000,
    "short noise": noise(1, 7),
    "noise": noise(2, 70000),
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "version 0": record(1, b"\0\1\0\0\0\0\0\0", version=0),
    "version 2": record(1, b"\0\1\0\0\0\0\0\0", version=2),
    "role 0": begin(role=0) + record(PARAMS) + record(STDIN),
    "authorizer": begin(role=2) + record(PARAMS) + record(STDIN),
    "filter": begin(role=3) + record(PARAMS) + record(STDIN),
    "role 65535": begin(role=65535) + record(PARAMS) + record(STDIN),
    "unknown type": record(99, b"x" * 100) + record(11, b"x"),
    "management": record(9, pairs({"FCGI_MAX_CONNS": "", "X" * 500: ""}), number=0),
    "management noise": record(9, noise(3, 300), number=0),
    "begin twice": begin() + begin() + record(PARAMS) + record(STDIN),
    "two at once": begin(number=1) + begin(number=2) + record(PARAMS, number=2) + record(STDIN, number=2),
    "begin too short": record(1, b"\0\1"),
    "begin too long": record(1, b"\0\1\0\0\0\0\0\0" * 100),
    "abort": begin() + record(2),
    "abort first": record(2),
    "end from the client": record(3, b"\0" * 8),
    "parameters first": record(PARAMS, pairs({"A": "B"})),
    "body first": record(STDIN, b"hello"),
    "parameter length beyond the record": begin() + record(PARAMS, b"\xff" * 8 + b"A") + record(PARAMS),
    "parameter cut": begin() + record(PARAMS, b"\x05\x05abc") + record(PARAMS) + record(STDIN),
    "parameters of noise": begin() + record(PARAMS, noise(4, 60000)) + record(PARAMS) + record(STDIN),
    "empty name": begin() + record(PARAMS, pairs({"": "x"})) + record(PARAMS) + record(STDIN),
    "no parameters": begin() + record(PARAMS) + record(STDIN),
    "only a method": with_params(REQUEST_METHOD="GET"),
    "empty method": with_params(REQUEST_METHOD="", IMD_PATH="", QUERY_STRING=""),
    "long method": with_params(REQUEST_METHOD="X" * 60000),
    "bad length": with_params(REQUEST_METHOD="POST", IMD_PATH="/messages/", CONTENT_LENGTH="-5"),
    "huge length": with_params(REQUEST_METHOD="POST", IMD_PATH="/messages/", CONTENT_LENGTH="9" * 30),
    "length of letters": with_params(REQUEST_METHOD="POST", IMD_PATH="/messages/", CONTENT_LENGTH="many"),
    "less body than promised": with_params(REQUEST_METHOD="POST", IMD_PATH="/messages/", CONTENT_LENGTH="1000"),
    "equals in a name": with_params(**{"A=B=C": "=", "REQUEST_METHOD": "GET"}),
    "thousands of parameters": b"".join([begin()] + [record(PARAMS, pairs({f"P{n}_{i}": "v" for i in range(200)}))
                                                      for n in range(50)]) + record(PARAMS) + record(STDIN),
    "padding promised and not sent": struct.pack("!BBHHBB", 1, 1, 1, 8, 255, 0) + b"\0\1\0\0\0\0\0\0",
}

LONG = 300_000


def late(*strange, length=LONG):
    """
    Returns strange records in the middle of a long body, where a careless server no longer checks. The rest of the body
    follows.
    """
    piece = record(STDIN, b" " * 30_000)
    values = {"REQUEST_METHOD": "POST", "IMD_PATH": "/messages", "CONTENT_LENGTH": str(length)}
    return (begin(fastcgi.KEEP) + record(PARAMS, pairs(values)) + record(PARAMS) + piece * 5 + b"".join(strange)
            + piece * 5 + record(STDIN))


GET_VALUES = pairs({"FCGI_MAX_CONNS": "", "FCGI_MPXS_CONNS": ""})

LATE = {
    **{f"management {kind}": late(record(kind, b"x" * 8, number=0)) for kind in (0, 2, 8, 9, 10, 11, 255)},
    "values": late(record(9, GET_VALUES, number=0)),
    "many values": late(*[record(9, pairs({"FCGI_MAX_CONNS": "", "X" * 500: ""}), number=0)] * 50),
    "value without an equals sign": late(record(9, b"\x01\x00=" * 2000, number=0)),
    "value longer than its record": late(record(9, b"\xff" * 8 + b"A", number=0)),
    "values of noise": late(record(9, noise(6, 60000), number=0)),
    "body without an id": late(record(STDIN, b"x" * 100, number=0)),
    "body of another": late(record(STDIN, b"x" * 100, number=2)),
    "end of another": late(record(STDIN, number=2)),
    "begin": late(begin()),
    "begin of another": late(begin(number=2), record(PARAMS, number=2)),
    "begin too short": late(record(1, b"\0")),
    "parameters": late(record(PARAMS, pairs({"A": "B"}))),
    "data": late(record(8, b"x" * 1000)),
    "unknown type": late(record(77, b"x" * 1000)),
    "version 0": late(record(STDIN, b"x", version=0)),
    "length beyond": late(record(STDIN, b"x" * 10, length=65535)),
    "length short of it": late(record(STDIN, b"x" * 1000, length=10)),
    "padding promised and not sent": late(struct.pack("!BBHHBB", 1, STDIN, 1, 8, 255, 0) + b"12345678"),
    "padding at the end": late(record(STDIN, padding=255)),
    "end twice": late(record(STDIN), record(STDIN)),
    "noise": late(noise(7, 50000)),
    "abort": late(record(2)),
    "cut in a header": late()[:-4],
    "cut in a body": late()[:200_000],
    "a longer body than nginx sends": late(*[record(STDIN, b" " * 60_000)] * 40),
    "length of letters": late(length="many"),
    "length below nought": late(length=-1),
    "length beyond the body": late(length=LONG + 1),
}


def spill(path, data):
    """Sends the bytes, shuts down writing, and reads whatever comes until the peer closes."""
    with fastcgi.connect(path) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except (BrokenPipeError, ConnectionResetError):
            pass  # it closed the connection


def pids(stack):
    return [stack.master_pid, stack.relay(), *stack.workers()]


def in_pieces(path, data):
    """Cuts in the middle of the strange part, which is sent once everything before it has been read."""
    with fastcgi.connect(path) as connection:
        try:
            connection.sendall(data[:160_003])
            wait_until(lambda: fastcgi.unread_bytes(connection) == 0, 20, "the first part is read")
            connection.sendall(data[160_003:])
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except (BrokenPipeError, ConnectionResetError):
            pass  # it closed the connection


@pytest.mark.parametrize("case", NOISE)
def test_noise_affects_no_other_connection(stack, case):
    disturb(stack, spill, NOISE[case])


@pytest.mark.parametrize("way", [spill, in_pieces])
@pytest.mark.parametrize("case", LATE)
def test_noise_in_a_body_affects_no_other_connection(stack, case, way):
    disturb(stack, way, LATE[case])


def disturb(stack, way, data):
    chat, ann = Chat(stack), name("ann")
    before = pids(stack)
    for _ in range(3):
        way(stack.state / "imd.sock", data)
    conversation = chat.group(ann)
    assert chat.send(conversation, ann, "here")["seq"] == 1
    assert pids(stack) == before


def test_a_request_with_changed_bytes_crashes_nothing(stack):
    chat, ann = Chat(stack), name("ann")
    before = pids(stack)
    dice = random.Random(5)
    body = {"type": "group_chat", "members": ["turned"]}
    whole = fastcgi.request("POST", "/conversations/", body)
    for _ in range(300):
        turned = bytearray(whole)
        for _ in range(dice.randrange(1, 4)):
            turned[dice.randrange(len(turned))] = dice.randrange(256)
        spill(stack.state / "imd.sock", bytes(turned))
    conversation = chat.group(ann)
    assert chat.send(conversation, ann, "here")["seq"] == 1
    assert pids(stack) == before


@pytest.mark.parametrize("number", ["", "\xff", "\"", "a b", "x" * 65, "\n", "é"])
def test_an_invalid_request_id_is_not_echoed(stack, number):
    values = pairs({"REQUEST_METHOD": "GET", "IMD_PATH": "/nowhere", "REQUEST_ID": number})
    with fastcgi.connect(stack.state / "imd.sock") as connection:
        connection.sendall(begin() + record(PARAMS, values) + record(PARAMS) + record(STDIN))
        status, body = fastcgi.answer(connection)
    assert (status, json.loads(body)["request_id"]) == (404, "")
