"""An emoji is 1 to 64 bytes of UTF-8 without blanks and control characters, percent-encoded once."""
import pytest

from api import Client, new_name, plain, raw_request, reactions

GOOD = {"thumb": "👍", "with_a_skin": "👍🏽", "family": "👨‍👩‍👧‍👦", "flag": "🇩🇪", "heart": "❤️", "keycap": "1️⃣",
        "ascii": "+1", "word": "ok", "percent": "%", "escape": "%F0%9F", "question": "?", "hash": "#",
        "quotes": "\"'`\\", "markup": "<&>", "semicolon": ";=,:@",
        "edges": "\u00bf\u07ff\u0800\uffff\U00010000\U0010ffff",
        "sixteen_of_four_bytes": "👍" * 16, "longest": "x" * 64, "longest_mixed": "x" * 62 + "é",
        "name_of_a_route": "reactions", "combining": "e\u0301"}
NOT_EMOJIS = {"blank": b"%20", "blank_inside": b"a%20b", "tab": b"%09", "newline": b"%0a", "newline_behind": b"a%0A",
              "return": b"%0d", "control": b"%01", "escape": b"%1b", "delete": b"%7f",
              "of_65_bytes": b"x" * 65, "of_65_bytes_in_emojis": b"%F0%9F%91%8D" * 16 + b"x",
              "much_longer": b"x" * 3000,
              "no_utf_8": b"%ff", "overlong": b"%c0%80", "overlong_slash": b"%e0%80%af", "surrogate": b"%ed%a0%80",
              "beyond_unicode": b"%f4%90%80%80", "cut_off": b"%f0%9f%91", "continued": b"%8d", "latin_1": b"%e9"}
METHODS = pytest.mark.parametrize("method", [b"PUT", b"DELETE"])


@pytest.fixture
def sent(api):
    alice = new_name()
    return api.send(api.group(alice), alice)


@pytest.fixture(scope="module")
def kept(stack):
    """A message that no test changes."""
    with Client(stack) as api:
        alice = new_name()
        return api.send(api.group(alice), alice)


def ask(stack, method, message, emoji, name=None):
    target = b"/messages/%d/reactions/%b?username=%b" % (message["id"], emoji, (name or message["sender"]).encode())
    return raw_request(stack, method, target)


@pytest.mark.parametrize("emoji", GOOD.values(), ids=GOOD)
def test_a_valid_emoji_is_accepted(api, nothing_changes_after, sent, emoji):
    liked = api.react(sent["id"], sent["sender"], emoji).ok
    assert plain(liked) == {**sent, "reactions": {emoji: [sent["sender"]]}}
    assert plain(api.message(sent["id"])) == plain(liked)
    with nothing_changes_after():
        assert api.react(sent["id"], sent["sender"], emoji).ok == liked
    assert api.unreact(sent["id"], sent["sender"], emoji).ok == sent


@pytest.mark.parametrize("spelling", [b"%F0%9F%91%8D", b"%f0%9f%91%8d", b"%f0%9F%91%8d", b"%F0%9F%91%8D/"], ids=repr)
def test_every_percent_encoding_of_an_emoji_is_accepted(stack, sent, spelling):
    assert reactions(ask(stack, b"PUT", sent, spelling).ok) == {"👍": [sent["sender"]]}


@pytest.mark.parametrize("spelling, emoji", [(b"%6f%6B", "ok"), (b"+1", "+1"), (b"%2B1", "+1"), (b"a%25b", "a%b"),
                                             (b"%2541", "%41"), (b"a&b=c", "a&b=c")], ids=repr)
def test_an_emoji_is_decoded_once_and_a_plus_stays_a_plus(stack, sent, spelling, emoji):
    assert reactions(ask(stack, b"PUT", sent, spelling).ok) == {emoji: [sent["sender"]]}


@pytest.mark.parametrize("spelling", [b"a%2F", b"a%2f", b"%2Fa", b"a%2Fb", b"%2F", b"a%2F/"], ids=repr)
def test_a_slash_in_an_emoji_is_refused_or_kept_but_never_dropped(stack, api, sent, spelling):
    answer = ask(stack, b"PUT", sent, spelling)
    assert answer.status in (200, 400, 404)
    if answer.status == 200:
        assert "/" in list(answer.ok["reactions"])[0]
    else:
        assert api.message(sent["id"]) == sent


def test_lookalike_emoji_are_different_emoji(api, sent):
    for emoji in ("é", "e\u0301", "❤", "💗", "k", "K"):
        message = api.react(sent["id"], sent["sender"], emoji).ok
    assert len(message["reactions"]) == 6


@METHODS
@pytest.mark.parametrize("emoji", NOT_EMOJIS.values(), ids=NOT_EMOJIS)
def test_an_invalid_emoji_is_refused(stack, nothing_changes, kept, method, emoji):
    ask(stack, method, kept, emoji).problem(400, code="invalid_emoji")


@METHODS
@pytest.mark.parametrize("emoji", [b"%00", b"a%00", b"%", b"%4", b"%zz"], ids=repr)
def test_an_emoji_that_nginx_refuses_is_a_problem(stack, nothing_changes, kept, method, emoji):
    ask(stack, method, kept, emoji).problem(400)


@METHODS
@pytest.mark.parametrize("path", [b"/reactions/a/b", b"/reaction/a", b"/reactionsx/a"], ids=repr)
def test_a_missing_or_too_long_path_segment_is_not_found(stack, nothing_changes, kept, method, path):
    target = b"/messages/%d%b?username=%b" % (kept["id"], path, kept["sender"].encode())
    raw_request(stack, method, target).problem(404)


@METHODS
@pytest.mark.parametrize("path", [b"/reactions", b"/reactions/", b"/reactions//"], ids=repr)
def test_the_path_of_all_reactions_refuses_put_and_delete(stack, nothing_changes, kept, method, path):
    target = b"/messages/%d%b?username=%b" % (kept["id"], path, kept["sender"].encode())
    raw_request(stack, method, target).problem(405)


@METHODS
@pytest.mark.parametrize("query", [b"", b"?", b"?username=", b"?username", b"?user=bob", b"?username=a%20b",
                                   b"?username=bob%0a", b"?username=%ff", b"?username=" + b"x" * 21,
                                   b"?username=a&username=b"], ids=repr)
def test_a_missing_user_name_is_refused(stack, nothing_changes, kept, method, query):
    target = b"/messages/%d/reactions/a%b" % (kept["id"], query)
    raw_request(stack, method, target).problem(400, field="username")


@METHODS
def test_a_reaction_to_an_unknown_message_is_not_found(stack, nothing_changes, kept, method):
    unknown = {**kept, "id": 2**62}
    ask(stack, method, unknown, b"a").problem(404, "Invalid message ID", "invalid_message_id")
