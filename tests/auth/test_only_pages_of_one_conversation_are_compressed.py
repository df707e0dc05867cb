"""
The length of a compressed answer must reveal nothing (BREACH). So nginx compresses no answer that mixes texts of
several conversations.

Users who can write into a conversation can read all of it, so a page of it has no secrets from them. A list, or
messages across conversations, would mix their text with texts of others. The host of this test compresses everything it
can.
"""
import gzip
import json

import pytest
import requests

from api import Client, new_name
from sites import Host, bearer, jwt_stack
from stack import Stack
from tokens import Hs256

GREEDY = "gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; gzip_comp_level 9;"
TEXT = "a text that repeats itself " * 100


class Site:
    def __init__(self, stack):
        self.url = stack.url
        with Client(stack) as client:
            self.alice, self.bob = new_name("alice"), new_name("bob")
            self.group = client.group(self.alice, self.bob)
            self.message = client.send(self.group, self.bob, TEXT)["id"]
            client.react(self.message, self.bob, "👍")

    def answer(self, target, method="GET", body=None, headers=()):
        target = target.format(group=self.group, bob=self.bob, alice=self.alice, message=self.message)
        body = json.dumps(body).replace("BOB", self.bob).encode() if body else None
        return requests.request(method, self.url + target, data=body, headers={"Accept-Encoding": "gzip, br", **dict(headers)},
                                stream=True, timeout=10)


@pytest.fixture(scope="module")
def site():
    with Stack(http_extra=GREEDY) as stack:
        yield Site(stack)


COMPRESSED = [
    "/messages?conversation_id={group}",
    "/messages/?conversation_id={group}&limit=50",
    "/messages?limit=50&conversation_id={group}&before_seq=10",
    "/messages?conversation_id={group}&after_seq=0",
    "/messages?conversation_id={group}&around_seq=1",
    "/messages?conversation_id={group}&after=0",
    "/conversations/{group}/changes",
    "/conversations/{group}/changes?after=0&limit=50",
    "/conversations/{group}/changes/?username={bob}&after=0",
]

PLAIN = [
    "/messages?username={bob}",
    "/messages?username={bob}&conversation_id={group}",
    "/messages?conversation_id={group}&username={bob}",
    "/messages?conversation_id={group}&user%6eame={bob}",
    "/messages?conversation_id={group}&%75sername={bob}",
    "/messages?conversation_id={group}&limit=50&username={bob}",
    "/messages?conversation_id={group};username={bob}",
    "/messages?&username={bob}&conversation_id={group}",
    "/messages?conversation_id={group}&conversation%5fid={group}",
    "/conversations?username={bob}",
    "/conversations?id={group}",
    "/conversations/{group}/members",
    "/conversations/{group}/presence",
    "/messages/{message}",
    "/messages/{message}/reactions?emoji=%F0%9F%91%8D",
    "/openapi.json",
    "/healthz",
]


@pytest.mark.parametrize("target", COMPRESSED)
def test_a_page_of_one_conversation_is_compressed(site, target):
    answer = site.answer(target)
    packed = answer.raw.read()
    assert answer.status_code == 200 and answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    whole = gzip.decompress(packed)
    assert json.loads(whole)["messages"][0]["content"] == TEXT and len(packed) * 5 < len(whole)


def test_a_client_without_accept_encoding_gets_it_uncompressed(site):
    answer = site.answer(COMPRESSED[0], headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in answer.headers and answer.json()["messages"][0]["content"] == TEXT


@pytest.mark.parametrize("target", PLAIN)
def test_no_other_answer_is_compressed_even_by_a_host_that_compresses_all(site, target):
    answer = site.answer(target)
    assert "Content-Encoding" not in answer.headers
    answer.json()


def test_messages_without_a_selector_are_not_compressed():
    """For an authenticated caller these are messages of all of their conversations."""
    key = Hs256("tests")
    with jwt_stack(key, http_extra=GREEDY) as stack:
        bob = bearer(key.token("bob"))
        with Client(stack, bob) as client:
            client.send(client.group("alice"), "bob", TEXT)
        headers = {**bob, "Accept-Encoding": "gzip"}
        for query in ("", "?limit=50", "?after=0", "?limit=50&after=0", "?after=0&conversation_id=", "?limit=1&xconversation_id=1"):
            answer = requests.get(f"{stack.url}/messages{query}", headers=headers, timeout=10)
            assert "Content-Encoding" not in answer.headers, query
            assert answer.json()["messages"][0]["content"] == TEXT


@pytest.mark.parametrize("method, target, body", [
    ("POST", "/messages", {"conversation_id": 1, "username": "BOB", "content": TEXT}),
    ("POST", "/conversations", {"type": "group_chat", "members": ["BOB"], "title": "a" * 200}),
    ("PATCH", "/messages/{message}", {"username": "BOB", "content": TEXT + "edited"}),
    ("POST", "/messages?conversation_id={group}", {"conversation_id": 1, "username": "BOB", "content": TEXT}),
    ("PUT", "/messages/{message}/reactions/x?username={bob}", None),
])
def test_no_answer_to_a_command_is_compressed(site, method, target, body):
    answer = site.answer(target, method, body)
    assert answer.status_code == 200 and "Content-Encoding" not in answer.headers


def test_a_host_can_turn_compression_off():
    stack = Stack(http_extra=GREEDY)
    host = Host(stack, "set $imd_gzip off;")
    with stack:
        own = Site(stack)
        own.url = host.url
        for target in COMPRESSED:
            assert "Content-Encoding" not in own.answer(target).headers, target
