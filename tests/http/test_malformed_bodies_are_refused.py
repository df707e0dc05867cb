"""Each path that takes a body gets an otherwise valid body with one fault."""
import json

import pytest

from api import Client, new_name

pytestmark = pytest.mark.usefixtures("nothing_changes")

DEEP = 100_000
PLACES = [("/messages/", "conversation_id"), ("/messages/", "username"), ("/messages/", "content"),
          ("/conversations/", "type"), ("/conversations/", "members"),
          ("/conversations/{id}/join", "username"), ("/conversations/{id}/leave", "username")]
PATHS = list(dict.fromkeys(path for path, _ in PLACES))

NOT_JSON = {
    "empty": lambda good: b"",
    "blank": lambda good: b" \r\n\t",
    "a_brace": lambda good: b"{",
    "half": lambda good: good[:len(good) // 2],
    "without_its_end": lambda good: good[:-1],
    "with_two_ends": lambda good: good + b"}",
    "twice": lambda good: good + good,
    "with_rubbish_behind": lambda good: good + b"x",
    "with_rubbish_before": lambda good: b"x" + good,
    "with_nul_behind": lambda good: good + b"\0",
    "with_nul_before": lambda good: b"\0" + good,
    "with_a_comma_too_many": lambda good: good[:-1] + b",}",
    "with_single_quotes": lambda good: good.replace(b'"', b"'"),
    "without_quotes": lambda good: good.replace(b'"', b""),
    "with_a_comment": lambda good: b"/* */" + good,
    "as_a_form": lambda good: b"username=bob&content=hello",
    "in_utf_16": lambda good: good.decode().encode("utf-16"),
    "random_bytes": lambda good: bytes(range(256)),
}
NOT_OBJECTS = [b"[]", b"[{}]", b'"x"', b'""', b"7", b"-0.5", b"1e3", b"null", b"true", b"false", b"[[[]]]", b" [ ] "]
NO_VALUES = {
    "lone_high_surrogate": b'"\\ud800"',
    "lone_low_surrogate": b'"\\udc00"',
    "surrogates_in_the_wrong_order": b'"\\udc00\\ud800"',
    "half_a_pair": b'"\\ud83d\\u0041"',
    "half_a_pair_at_the_end": b'"a\\ud83d"',
    "surrogate_in_utf_8": b'"\xed\xa0\x80"',
    "nul_escaped": b'"\\u0000"',
    "nul_escaped_inside": b'"a\\u0000b"',
    "nul_raw": b'"a\0b"',
    "newline_raw": b'"a\nb"',
    "control_raw": b'"a\x01b"',
    "no_utf_8": b'"\xff"',
    "overlong": b'"\xc0\x80"',
    "overlong_slash": b'"\xe0\x80\xaf"',
    "beyond_unicode": b'"\xf4\x90\x80\x80"',
    "cut_off": b'"\xe2\x82"',
    "latin_1": b'"\xe9"',
    "unknown_escape": b'"\\x41"',
    "short_escape": b'"\\u12"',
    "bad_escape": b'"\\u12g4"',
    "endless_string": b'"abc',
    "too_large": b"1e999",
    "too_large_and_negative": b"-1e999",
    "too_many_digits": b"9" * 400,
    "leading_zero": b"01",
    "leading_plus": b"+1",
    "leading_point": b".5",
    "trailing_point": b"1.",
    "hexadecimal": b"0x10",
    "nan": b"NaN",
    "infinity": b"Infinity",
    "python": b"True",
    "nothing": b"",
}
TOO_DEEP = {
    "deep_array": b"[" * DEEP + b"]" * DEEP,
    "deep_object": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "endless_array": b"[" * DEEP,
}
NO_VALUES.update(TOO_DEEP)


@pytest.fixture(scope="module")
def good(stack):
    """A valid body for each path."""
    alice = new_name()
    with Client(stack) as api:
        group = api.group(alice)
    member = {"username": alice}
    return {"id": group, "/messages/": {"conversation_id": group, "username": alice, "content": "hello"},
            "/conversations/": {"type": "group_chat", "members": [alice]},
            "/conversations/{id}/join": member, "/conversations/{id}/leave": member}


def post(api, good, path, body):
    return api.post_bytes(path.format(id=good["id"]), body)


def body_with(good, path, field, raw_value):
    """The valid body, with this value for one field."""
    return json.dumps({**good[path], field: "@"}).encode().replace(b'"@"', raw_value)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("fault", NOT_JSON)
def test_invalid_json_is_refused(api, good, path, fault):
    body = NOT_JSON[fault](json.dumps(good[path]).encode())
    post(api, good, path, body).problem(400, code="invalid_json")


@pytest.mark.parametrize("path", PATHS)
def test_a_missing_body_is_refused(api, good, path):
    api.request("POST", path.format(id=good["id"])).problem(400, code="invalid_json")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", NOT_OBJECTS, ids=repr)
def test_json_that_is_not_an_object_is_refused(api, good, path, body):
    post(api, good, path, body).problem(400, code="invalid_body")


@pytest.mark.parametrize("path, field", PLACES)
@pytest.mark.parametrize("fault", NO_VALUES)
def test_an_invalid_value_is_refused(api, good, path, field, fault):
    refused = post(api, good, path, body_with(good, path, field, NO_VALUES[fault]))
    # Deeply nested ones may also exceed the body limit of the path.
    refused.problem(413 if refused.status == 413 and fault in TOO_DEEP else 400)


@pytest.mark.parametrize("path, field", PLACES)
def test_a_duplicate_key_is_refused(api, good, path, field):
    text = json.dumps(good[path])
    for value in (json.dumps(good[path][field]), '"another"', "null"):
        post(api, good, path, f'{text[:-1]}, "{field}": {value}}}'.encode()).problem(400)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", [b'"\\u0000"', b'"\\ud800"', b'"\xff"', b"7", b"null", b'"'], ids=repr)
def test_an_invalid_key_is_refused(api, good, path, key):
    body = b"{" + key + b": 1, " + json.dumps(good[path]).encode()[1:]
    post(api, good, path, body).problem(400, code="invalid_json")
