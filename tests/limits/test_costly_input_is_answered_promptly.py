"""The largest allowed input that could cost more work than its size suggests. Each request is answered promptly."""
import json
import time

import pytest

from api import Client, new_name
from slow import PROMPT_S, others_are_answered

BODY = 500_000


def document(**more):
    return json.dumps({"type": "group_chat", "members": ["ann"], **more}).encode()


def around(beginning, middle, end):
    """A body just below the limit of size, made of `middle` repeated."""
    return beginning + middle * ((BODY - len(beginning) - len(end)) // len(middle)) + end


BODIES = {
    "arrays_in_arrays": b"[" * (BODY // 2) + b"]" * (BODY // 2),
    "arrays_that_never_end": around(b'{"type":', b"[", b""),
    "objects_in_objects": b'{"a":' * (BODY // 6) + b"1" + b"}" * (BODY // 6),
    "a_long_number": around(b'{"type":', b"7", b"}"),
    "a_long_fraction": around(b'{"type":0.', b"7", b"e-300}"),
    "many_numbers": around(b'{"type":"group_chat","members":[', b"1e300,", b"1]}"),
    "many_keys": b"{" + b",".join(b'"k%d":1' % number for number in range(40_000)) + b"}",
    "one_key_again_and_again": around(b"{", b'"type":"x",', b'"type":"x"}'),
    "one_name_again_and_again": around(b'{"type":"group_chat","members":[', b'"ann",', b'"ann"]}'),
    "a_long_string_of_escapes": around(b'{"type":"', b"\\ud83d\\ude00", b'"}'),
    "blanks": around(b"", b" ", b"{}"),
}
NAMES = [f"m_{number}" for number in range(20_000)]


@pytest.fixture(autouse=True)
def bystander(stack):
    with others_are_answered(stack):
        yield


def assert_quick(ask):
    start = time.monotonic()
    answer = ask()
    assert time.monotonic() - start < PROMPT_S
    return answer


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", ["/conversations/", "/messages/"])
def test_costly_bodies_are_answered_promptly(stack, path, name):
    assert BODY - 100_000 < len(BODIES[name]) < 512 * 1024
    with Client(stack) as api:
        assert assert_quick(lambda: api.post_bytes(path, BODIES[name])).status in (200, 400, 413)


def test_requests_about_20_000_members_are_answered_promptly(stack):
    with Client(stack) as api:
        group = assert_quick(lambda: api.post("/conversations/", {"type": "group_chat", "members": NAMES})).ok["id"]
        again = assert_quick(lambda: api.post("/conversations/", {"type": "group_chat", "members": NAMES[::-1]})).ok
        assert again["member_count"] == len(NAMES)
        assert_quick(lambda: api.submit(group, NAMES[0], "hello")).ok
        assert_quick(lambda: api.get("/conversations/", id=[group] * 1000)).ok
        assert_quick(lambda: api.get(f"/conversations/{group}/presence")).problem(422)
        for name in NAMES[:2]:
            assert_quick(lambda: api.get("/conversations/", username=name)).ok


@pytest.mark.parametrize("query", [
    {"id": list(range(1000, 1900))},
    {"id": [1] * 1500},
    {"id": ["9" * 18] * 350},
    {"username": ["ann"] * 500},
    {"x": list(range(1500))},
    {"%41" * 2000: 1},
], ids=["ids", "one_id", "long_ids", "names", "unknown", "escapes"])
def test_hundreds_of_parameters_are_answered_promptly(stack, query):
    with Client(stack) as api:
        for path in ("/conversations/", "/messages/"):
            answer = assert_quick(lambda: api.get(path, **query))
            assert answer.status in (200, 400, 414, 422), answer
