"""An idempotency key is 1 to 64 bytes of printable ASCII, in the body, in a header, or the same in both."""
import json

import pytest

from api import Client, new_name, raw_request

LONGEST = "".join(map(chr, range(0x20, 0x60)))
GOOD = ["k", "7", "null", LONGEST, "".join(map(chr, range(0x3f, 0x7f))), "\"\\'/%00&=", "x" * 64, "a b", "~"]
BAD = ["", "x" * 65, "x" * 5000, "é", "k👍", "k\n", "\tk", "k\x7f", "\x01", "k\u2028", "\u00a0"]
MISTYPED = [7, 7.5, 0, True, False, [], ["k"], {}, {"k": "k"}]


@pytest.fixture(scope="module")
def chat(stack):
    with Client(stack) as api:
        alice = new_name()
        return api.group(alice), alice


@pytest.mark.parametrize("key", GOOD, ids=lambda key: ascii(key)[:25])
def test_a_valid_key_in_the_body_is_accepted(api, chat, key):
    own = api.group(chat[1])
    sent = api.submit(own, chat[1], client_id=key).ok
    assert sent["client_id"] == key
    assert api.page(conversation_id=own)["messages"] == [sent]


@pytest.mark.parametrize("key", ["k1", "a  b", LONGEST.strip(), "x" * 63 + "~", "a,b;c=\"d\""],
                         ids=lambda key: ascii(key)[:25])
def test_a_valid_key_in_the_header_is_accepted(api, key):
    alice = new_name()
    assert api.submit(api.group(alice), alice, headers={"Idempotency-Key": key}).ok["client_id"] == key


@pytest.mark.parametrize("name", ["idempotency-key", "IDEMPOTENCY-KEY"])
def test_the_name_of_the_header_is_case_insensitive(api, name):
    alice = new_name()
    assert api.submit(api.group(alice), alice, headers={name: "k"}).ok["client_id"] == "k"


@pytest.mark.parametrize("key", [*BAD, *MISTYPED], ids=lambda key: ascii(key)[:25])
def test_an_invalid_key_in_the_body_is_refused(api, nothing_changes, chat, key):
    api.submit(*chat, client_id=key).problem(400, code="invalid_client_id", field="client_id")


@pytest.mark.parametrize("key", [b"x" * 65, b"x" * 5000, "é".encode(), b"k\xff", b"k\x7f", "k👍".encode(), b"a\tb"],
                         ids=lambda key: repr(key)[:25])
def test_an_invalid_key_in_the_header_is_refused(stack, nothing_changes, chat, key):
    body = json.dumps({"conversation_id": chat[0], "username": chat[1], "content": "hello"}).encode()
    headers = [b"Content-Length: %d" % len(body), b"Idempotency-Key: " + key]
    refused = raw_request(stack, b"POST", b"/messages/", headers, body)
    refused.problem(400, code="invalid_client_id", field="Idempotency-Key")


@pytest.mark.parametrize("header, key", [("one", "other"), ("k", "k "), ("k", "K")])
def test_different_keys_in_body_and_header_are_refused(api, nothing_changes, chat, header, key):
    refused = api.submit(*chat, headers={"Idempotency-Key": header}, client_id=key)
    refused.problem(400, code="invalid_client_id", field="client_id")


@pytest.mark.parametrize("key", BAD[:4], ids=lambda key: ascii(key)[:25])
def test_an_invalid_key_in_the_body_is_refused_beside_a_valid_header(api, nothing_changes, chat, key):
    refused = api.submit(*chat, headers={"Idempotency-Key": "k"}, client_id=key)
    refused.problem(400, code="invalid_client_id", field="client_id")


def test_a_null_key_counts_as_absent(api):
    alice = new_name()
    group = api.group(alice)
    assert "client_id" not in api.submit(group, alice, client_id=None).ok
    assert api.submit(group, alice, headers={"Idempotency-Key": "k"}, client_id=None).ok["client_id"] == "k"


def test_the_header_is_ignored_by_other_requests(api):
    """Only sending and creating use it. Other requests, such as one for a title, may repeat it."""
    alice = new_name()
    group = api.group(alice)
    for title in ("Tea", "Coffee"):
        body, headers = {"username": alice, "title": title}, {"Idempotency-Key": "x" * 100}
        assert api.write("PATCH", f"/conversations/{group}", body, headers).ok["title"] == title
