import contextlib
import gzip
import http.client
import json
import socket

import pytest

from api import new_name, raw_request, send_raw

POST = b"POST /messages/ HTTP/1.1\r\nHost: a\r\n"
BROKEN = {
    "no_host": b"GET /messages/ HTTP/1.1\r\n\r\n",
    "two_hosts": b"GET /messages/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "bad_host": b"GET /messages/ HTTP/1.1\r\nHost: a b/c\r\n\r\n",
    "bad_version": b"GET /messages/ HTTP/x.y\r\nHost: a\r\n\r\n",
    "future_version": b"GET /messages/ HTTP/7.0\r\nHost: a\r\n\r\n",
    "no_target": b"GET\r\nHost: a\r\n\r\n",
    "nul_in_a_header": b"GET /messages/ HTTP/1.1\r\nHost: a\r\nX-A: a\0b\r\n\r\n",
    "long_header": b"GET /messages/ HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 300_000 + b"\r\n\r\n",
    "long_target": b"GET /messages/?username=" + b"a" * 300_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "negative_length": POST + b"Content-Length: -5\r\n\r\n",
    "no_number_as_length": POST + b"Content-Length: abc\r\n\r\n",
    "huge_length": POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "two_lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "length_and_chunks": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown_coding": POST + b"Transfer-Encoding: gzip\r\n\r\n",
    "bad_chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "huge_chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "bad_chunk_where_nothing_is": b"GET /nope HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_malformed_head_gets_a_problem(stack, nothing_changes, name):
    answer = send_raw(stack, BROKEN[name])
    assert 400 <= answer.status < 500, answer
    answer.problem(answer.status)


@pytest.mark.parametrize("target", [b"/messages", b"/messages/?username=ann", b"/nope"])
def test_an_oversized_body_that_never_comes_is_refused(stack, nothing_changes, target):
    """nginx may see the end of the connection before it answers."""
    for _ in range(30):
        with socket.create_connection(("127.0.0.1", stack.port)) as connection:
            connection.sendall(b"POST " + target + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            answer = http.client.HTTPResponse(connection)
            with contextlib.suppress(http.client.RemoteDisconnected):
                answer.begin()
                assert (answer.status, json.loads(answer.read())["code"]) == (413, "payload_too_large")


def test_a_body_that_ends_early_stores_no_message(stack, api, nothing_changes_after):
    alice = new_name()
    body = json.dumps({"conversation_id": api.group(alice), "username": alice, "content": "hello"}).encode()
    head = POST + b"Content-Length: %d\r\n\r\n" % (len(body) + 1)
    with nothing_changes_after():
        with socket.create_connection(("127.0.0.1", stack.port)) as connection:
            connection.sendall(head + body)
            connection.shutdown(socket.SHUT_WR)
            # nginx either answers or just closes; the test ends with either.
            assert b" 200 " not in connection.recv(4096)[:20]


def test_a_compressed_body_is_invalid_json(stack, nothing_changes):
    body = gzip.compress(b'{"type": "group_chat", "members": []}')
    headers = [b"Content-Encoding: gzip", b"Content-Length: %d" % len(body)]
    raw_request(stack, b"POST", b"/conversations/", headers, body).problem(400, code="invalid_json")
