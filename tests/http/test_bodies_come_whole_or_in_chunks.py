import json

import pytest

from api import new_name, raw_request


def chunked(body, size):
    pieces = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.fixture
def message(api):
    alice = new_name()
    return {"conversation_id": api.group(alice), "username": alice, "content": "👍 \"hello\"\n" * 500}


@pytest.mark.parametrize("size", [1, 7, 1000, 4096, 1_000_000])
def test_a_chunked_body_is_accepted(stack, api, message, size):
    body = chunked(json.dumps(message, ensure_ascii=False).encode(), size)
    headers = [b"Content-Type: application/json", b"Transfer-Encoding: chunked"]
    sent = raw_request(stack, b"POST", b"/messages/", headers, body).ok
    assert sent["content"] == message["content"]
    assert api.page(conversation_id=message["conversation_id"])["messages"] == [sent]


def test_chunk_extensions_and_trailers_are_accepted(stack, message):
    body = json.dumps(message).encode()
    framed = b"%X;name=value\r\n%b\r\n0\r\nX-Trailer: x\r\n\r\n" % (len(body), body)
    sent = raw_request(stack, b"POST", b"/messages/", [b"Transfer-Encoding: chunked"], framed).ok
    assert sent["content"] == message["content"]


def test_an_empty_chunked_body_is_invalid_json(stack, nothing_changes):
    headers = [b"Transfer-Encoding: chunked"]
    raw_request(stack, b"POST", b"/messages/", headers, b"0\r\n\r\n").problem(400, code="invalid_json")


def test_a_body_after_100_continue_is_accepted(stack, message):
    body = json.dumps(message).encode()
    headers = [b"Content-Length: %d" % len(body), b"Expect: 100-continue"]
    assert raw_request(stack, b"POST", b"/messages/", headers, body).ok["content"] == message["content"]
