"""Slow clients, half-open sockets, idle ones by the thousand, floods and bombs: each ends at a limit of nginx, while others
are served. Where a limit takes its time, the test shortens it and changes nothing else.
"""
import json
import re
import socket
import time

import pytest

from chat import Chat, name
from stack import Stack, wait_until

# Long enough to be told from nothing, short enough to wait for.
SHORT = "1s"
SOON_S = 8
PROMPT_S = 2
SOCKETS = 2000
HANDSHAKE = (b"GET /ws/?username=%s HTTP/1.1\r\nHost: imd\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


@pytest.fixture(scope="module")
def hurried():
    """nginx's defaults for its servers, and imd's for its locations, but that each waits a second."""
    timeouts = "".join(f"{each} {SHORT};\n" for each in ("client_header_timeout", "send_timeout", "keepalive_timeout"))
    with Stack(http_extra=timeouts) as stack:
        shipped = stack.state / "imd-server.conf"
        text = shipped.read_text()
        for limit in ("client_body_timeout 20s", "nchan_websocket_ping_interval 25s", "nchan_eventsource_ping_interval 25s"):
            assert text.count(f"{limit};") == 1, limit
            text = text.replace(limit, f"{limit.split()[0]} {SHORT}")
        shipped.write_text(text)
        stack.nginx_reload()
        yield stack


@pytest.fixture(scope="module")
def limited():
    with Stack(env={"LIMITS": "1"}) as stack:
        yield stack


def connect(stack):
    client = socket.create_connection(("127.0.0.1", stack.port), timeout=SOON_S)
    return client


def until_closed(client):
    """All that comes until the other side has had enough; and how long that took."""
    begun, data = time.monotonic(), b""
    try:
        while more := client.recv(65536):
            data += more
    except ConnectionResetError:
        pass
    return data, time.monotonic() - begun


def assert_prompt(stack):
    begun = time.monotonic()
    assert Chat(stack).ask("GET", "/healthz").status_code == 200
    assert time.monotonic() - begun < PROMPT_S


def answered(stack):
    """How many requests imd has answered."""
    text = Chat(stack).ask("GET", "/metrics").text
    return sum(int(count) for count in re.findall(r'^imd_answers_total{method="POST".* (\d+)$', text, re.M))


@pytest.mark.parametrize("part", [b"", b"GET /messages HTTP/1.1\r\nHost: im", b"POST /messages HTTP/1.1\r\nHost: imd\r\nX: y\r\n"])
def test_a_header_that_never_ends(hurried, part):
    crowd = [connect(hurried) for _ in range(100)]
    for client in crowd:
        client.sendall(part)
    assert_prompt(hurried)
    for client in crowd:
        until_closed(client)
        client.close()


def test_a_body_that_never_ends(hurried):
    before = answered(hurried)
    crowd = [connect(hurried) for _ in range(100)]
    for client in crowd:
        client.sendall(b"POST /messages HTTP/1.1\r\nHost: imd\r\nContent-Length: 1000\r\n\r\n{\"conversation_id\":")
    assert_prompt(hurried)
    for client in crowd:
        until_closed(client)
        client.close()
    assert answered(hurried) == before  # nginx hands a request over when it is whole


def test_an_answer_that_is_never_read(hurried):
    chat, ann = Chat(hurried), name("ann")
    conversation = chat.group(ann)
    for _ in range(20):
        chat.send(conversation, ann, "x" * 60000)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(SOON_S)
    client.connect(("127.0.0.1", hurried.port))
    with client:
        client.sendall(b"GET /messages?conversation_id=%d HTTP/1.1\r\nHost: imd\r\n\r\n" % conversation["id"] * 20)
        assert_prompt(hurried)
        log = hurried.state / "access.log"
        wait_until(lambda: re.search(r'"GET /messages" (408|499|200) (?!12\d{5})\d+', log.read_text()), SOON_S, "it is given up")


def test_a_kept_connection_that_is_idle(hurried):
    with connect(hurried) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: imd\r\n\r\n")
        data, took_s = until_closed(client)
        assert data.startswith(b"HTTP/1.1 200") and took_s < SOON_S


def presence(stack, conversation):
    return Chat(stack).ask("GET", f"/conversations/{conversation['id']}/presence").json()["online"]


def test_a_socket_whose_other_end_is_gone(hurried):
    """It answers no ping: that is all that a cut cable leaves."""
    chat, ann = Chat(hurried), name("ann")
    conversation = chat.group(ann)
    client = connect(hurried)
    client.sendall(HANDSHAKE % ann.encode())
    assert client.recv(4096).startswith(b"HTTP/1.1 101")
    wait_until(lambda: presence(hurried, conversation) == [ann], SOON_S, "they are there")
    data, took_s = until_closed(client)
    client.close()
    assert took_s < SOON_S
    wait_until(lambda: presence(hurried, conversation) == [], 2 * SOON_S, "they are gone")


def flood(stack, count):
    """So many requests at once; (status, whole answer) of each."""
    one = b"GET /healthz HTTP/1.1\r\nHost: imd\r\n"
    with connect(stack) as client:
        client.sendall((one + b"\r\n") * (count - 1) + one + b"Connection: close\r\n\r\n")
        data, _ = until_closed(client)
    return [(int(each[:3]), each) for each in data.split(b"HTTP/1.1 ")[1:]]


def test_a_flood_of_one_address_is_not_anothers(limited):
    answers = flood(limited, 500) + flood(limited, 500)
    assert {status for status, _ in answers} == {200}  # a burst is what a client that comes back needs
    while not (refused := [answer for status, answer in answers if status != 200]):
        answers = flood(limited, 500)
    assert b"429 " in refused[0][:4] and b"\r\nRetry-After: 1\r\n" in refused[0]
    problem = json.loads(refused[0].partition(b"\r\n\r\n")[2])
    assert (problem["status"], problem["code"]) == (429, "too_many_requests")
    with socket.create_connection(("127.0.0.1", limited.port), timeout=SOON_S, source_address=("127.0.0.2", 0)) as other:
        other.sendall(b"GET /healthz HTTP/1.1\r\nHost: imd\r\n\r\n")
        assert other.recv(4096).startswith(b"HTTP/1.1 200")


BOMBS = {
    "one header of 9 kB": b"X: " + b"y" * 9000 + b"\r\n",
    "headers of 40 kB": b"".join(b"X%d: %b\r\n" % (n, b"y" * 1000) for n in range(40)),
    "a cookie of 20 kB": b"Cookie: a=" + b"b" * 20000 + b"\r\n",
    "an authorization of 9 kB": b"Authorization: Bearer " + b"b" * 9000 + b"\r\n",
    "10,000 headers": b"".join(b"X%d: y\r\n" % n for n in range(10000)),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_header_bombs(hurried, bomb):
    with connect(hurried) as client:
        try:
            client.sendall(b"GET /messages HTTP/1.1\r\nHost: imd\r\n" + BOMBS[bomb] + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has had enough already
        data, _ = until_closed(client)
        assert not data or re.match(rb"HTTP/1.1 (400|431|494) ", data), data[:200]
        assert not data or b"application/problem+json" in data, data[:400]
    assert_prompt(hurried)



def test_thousands_of_idle_sockets():
    """Without limits, as for a test of load."""
    with Stack() as stack:
        chat, ann = Chat(stack), name("ann")
        conversation = chat.group(ann)
        crowd = []
        for number in range(SOCKETS):
            client = connect(stack)
            client.sendall(HANDSHAKE % f"idle_{number}".encode())
            crowd.append(client)
        for client in crowd:
            assert client.recv(4096).startswith(b"HTTP/1.1 101")
        assert_prompt(stack)
        begun = time.monotonic()
        chat.send(conversation, ann, "still here")
        assert time.monotonic() - begun < PROMPT_S
        for client in crowd:
            client.close()
        assert_prompt(stack)
