import json
import random

import pytest

from api import new_name

TEXTS = {
    "emoji": "👍🏽 👨‍👩‍👧 🇩🇪",
    "quotes": "\"double\" 'single' `back`",
    "backslashes": "\\ \\n \\u0041 \\\" \\\\",
    "slashes": "</script> // /* */",
    "controls": "".join(map(chr, range(1, 0x20))),
    "delete_and_c1": "".join(map(chr, range(0x7f, 0xa0))),
    "line_separators": "a\u2028b\u2029c\u0085d",
    "combining": "e\u0301 é \u202eright to left\u202c",
    "edges_of_utf_8": "\x7f\x80\u07ff\u0800\ud7ff\ue000\ufffd\ufffe\uffff\U00010000\U0010ffff",
    "byte_order_mark": "\ufefftext\ufeff",
    "blanks": "  \t two lines\r\n\r\n  ",
    "json": '{"type": "notify", "content": null}',
    "html": "<b onclick=\"x()\">&amp;</b>",
    "sql": "'; DROP TABLE message; --",
    "format": "%s %d %n %zz",
}


def check(api, content, escaped):
    """Sends the content once in each spelling, and reads it by every request."""
    alice = new_name()
    group = api.group(alice)
    message = {"conversation_id": group, "username": alice, "content": content}
    sent = api.post_bytes("/messages/", json.dumps(message, ensure_ascii=escaped).encode()).ok
    assert sent["content"] == content
    assert api.page(conversation_id=group)["messages"] == [sent]
    assert api.page(username=alice)["messages"] == [sent]


@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "in_utf_8"])
@pytest.mark.parametrize("name", TEXTS)
def test_special_characters_come_back_unchanged(api, name, escaped):
    check(api, TEXTS[name], escaped)


@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "in_utf_8"])
def test_random_texts_come_back_unchanged(api, escaped):
    chance = random.Random(2)
    alphabets = [range(1, 0x80), range(0x80, 0x800), [*range(0x800, 0xd800), *range(0xe000, 0x10000)],
                 range(0x10000, 0x110000), b"\"\\/\b\f\n\r\t\x1f\x7f"]
    for _ in range(30):
        length = chance.randrange(400)
        check(api, "".join(chr(chance.choice(chance.choice(alphabets))) for _ in range(length)), escaped)


def test_every_json_escape_is_decoded(api):
    alice = new_name()
    escapes = r'"\"\\\/\b\f\n\r\t\u0041\uD83D\uDC4D\u00e9"'
    body = f'{{"conversation_id": {api.group(alice)}, "username": "{alice}", "content": {escapes}}}'
    sent = api.post_bytes("/messages/", body.encode()).ok
    assert sent["content"] == "\"\\/\b\f\n\r\tA👍é"


@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "in_utf_8"])
@pytest.mark.parametrize("content", ["x" * 65_536, "é" * 32_768, "👍" * 16_384, "\x01" * 65_536, "\"" * 65_536],
                         ids=["ascii", "two_bytes", "four_bytes", "controls", "quotes"])
def test_the_longest_content_comes_back_unchanged(api, content, escaped):
    assert len(content.encode()) == 65_536
    check(api, content, escaped)


def test_a_page_of_the_longest_contents_comes_back_unchanged(api):
    alice = new_name()
    group = api.group(alice)
    sent = [api.send(group, alice, chr(1 + i) * 65_536) for i in range(12)]
    assert api.page(conversation_id=group) == {"messages": sent, "has_next": False}
    assert api.page(username=alice) == {"messages": sent, "has_next": False}
