"""A body longer than the socket's buffer arrives while it is read. However it is split, it is read as the same body."""
import json
import random
import socket
import time

import pytest

import fastcgi
from chat import Chat, name
from fastcgi import PARAMS, STDIN, begin, pairs, record
from stack import Stack, wait_until

# Longer than imd peeks at, and longer than a socket buffers.
PADDING = "x" * 350_000


@pytest.fixture(scope="module")
def stack():
    with Stack(imd_flags=["--threads=8"]) as stack:
        yield stack


def posting(conversation, sender, content, piece):
    """A request that posts a message, with its body in records of this many bytes."""
    body = json.dumps({"conversation_id": conversation, "username": sender, "content": content, "pad": PADDING}).encode()
    values = {"REQUEST_METHOD": "POST", "IMD_PATH": "/messages", "CONTENT_LENGTH": str(len(body)),
              "SERVER_ADDR": "127.0.0.1"}
    return (begin(fastcgi.KEEP) + record(PARAMS, pairs(values)) + record(PARAMS)
            + b"".join(record(STDIN, body[at:at + piece], padding=at // piece % 8)
                       for at in range(0, len(body), piece)) + record(STDIN))


@pytest.mark.parametrize("piece", [32768, 65535, 1000, 7])
def test_a_body_in_records_of_any_size_is_read_whole(stack, piece):
    chat, ann = Chat(stack), name("ann")
    conversation = chat.group(ann)["id"]
    with fastcgi.connect(stack.state / "imd.sock") as connection:
        for number in (1, 2, 3):
            connection.sendall(posting(conversation, ann, f"hello {number}", piece))
            status, body = fastcgi.answer(connection)
            assert (status, json.loads(body)["content"]) == (200, f"hello {number}")


def test_a_request_cut_anywhere_is_read_whole(stack):
    chat, ann = Chat(stack), name("ann")
    conversation = chat.group(ann)["id"]
    dice = random.Random(8)
    with fastcgi.connect(stack.state / "imd.sock") as connection:
        for number in range(20):
            data = posting(conversation, ann, f"cut {number}", 60_000)
            # The parameters come at once, as nginx sends them.
            cuts = [0] + sorted(dice.randrange(200, len(data)) for _ in range(5)) + [len(data)]
            for start, end in zip(cuts, cuts[1:]):
                connection.sendall(data[start:end])
                wait_until(lambda: fastcgi.unread_bytes(connection) == 0, 20, "it is read")
            status, body = fastcgi.answer(connection)
            assert (status, json.loads(body)["content"]) == (200, f"cut {number}")


def test_many_concurrent_bodies_through_nginx_are_read_whole(stack):
    chat, ann = Chat(stack), name("ann")
    conversation = chat.group(ann)["id"]
    body = json.dumps({"conversation_id": conversation, "username": ann, "content": "large", "pad": PADDING}).encode()
    head = f"POST /messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    connections = [socket.create_connection(("127.0.0.1", stack.port), timeout=30) for _ in range(60)]
    for connection in connections:
        connection.sendall(head.encode() + body[:-1])
    for connection in connections:
        connection.sendall(body[-1:])
    for connection in connections:
        with connection, connection.makefile("rb") as answer:
            assert b" 200 " in answer.readline()


def test_a_body_sent_byte_by_byte_is_dropped_after_a_timeout(stack):
    chat, ann = Chat(stack), name("ann")
    data = posting(chat.group(ann)["id"], ann, "never", 60_000)
    began = time.monotonic()
    with fastcgi.connect(stack.state / "imd.sock") as connection:
        connection.sendall(data[:1000])
        connection.settimeout(0.3)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for at in range(1000, 2000):
                connection.sendall(data[at:at + 1])
                try:
                    assert connection.recv(1) == b""
                    raise ConnectionResetError
                except TimeoutError:
                    pass  # still expected
    assert time.monotonic() - began < 20
    assert chat.send(chat.group(ann), ann, "here")["seq"] == 1
