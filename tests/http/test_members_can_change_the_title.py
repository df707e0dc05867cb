import json

import pytest

from api import Client, at_once, new_name

TITLES = {"plain": "Sunday lunch", "one": "x", "longest": "x" * 200, "longest_of_two_bytes": "é" * 200,
          "longest_of_four_bytes": "👍" * 200, "family": "👨‍👩‍👧‍👦", "quotes": "\"a\" 'b' \\ \\n \\u0041",
          "html": "<b>&amp;</b>", "sql": "'; DROP TABLE conversation; --", "blanks": "  two  blanks ",
          "edges": "\x7f\x80\u07ff\ufffd\U0010ffff", "separators": "a\u2028b\u2029c"}
NOT_TITLES = ["x" * 201, "é" * 201, "👍" * 201, "x" * 3000, 7, 1.5, True, None, [], ["x"], {}]
NOT_NAMES = ["", "a b", "bob\n", "é", "a-b", "a" * 21, 7, True, None, [], {}]


def test_a_new_conversation_has_no_title(api, alice, bob):
    assert api.create("group_chat", alice)["title"] == ""
    assert api.create("private_chat", alice, bob)["title"] == ""


def test_a_title_given_at_creation_can_be_changed(api, alice):
    made = api.post("/conversations/", {"type": "group_chat", "members": [alice], "title": "early"}).ok
    assert made["title"] == api.conversation(made["id"])["title"] == "early"
    assert api.retitle(made["id"], alice, "early").ok["version"] == 1
    assert api.retitle(made["id"], alice, "late").ok["version"] == 2


def test_a_title_is_shown_with_the_conversation(api, group, alice, bob):
    before = api.conversation(group)
    named = api.retitle(group, alice, "Sunday lunch").ok
    assert named == {**before, "title": "Sunday lunch", "version": 2, "updated_at": named["updated_at"]}
    assert named["updated_at"] > before["updated_at"]
    assert api.conversation(group) == named
    assert api.changes(group, after=1)["conversation"] == named
    entry = api.listed(bob, group)
    assert {key: entry[key] for key in named} == named
    assert api.retitle(group, bob, "Dinner").ok["version"] == 3


@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "in_utf_8"])
@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
def test_a_title_is_returned_as_it_was_given(api, group, alice, title, escaped):
    body = json.dumps({"username": alice, "title": title}, ensure_ascii=escaped).encode()
    named = api.request("PATCH", f"/conversations/{group}", body).ok
    assert named["title"] == title
    assert api.conversation(group) == named


def test_an_empty_title_removes_it(api, group, alice):
    api.retitle(group, alice, "Sunday lunch").ok
    assert api.retitle(group, alice, "").ok["title"] == ""
    assert (api.conversation(group)["title"], api.conversation(group)["version"]) == ("", 3)


def test_giving_the_same_title_again_changes_nothing(api, nothing_changes_after, group, alice, bob):
    none = api.conversation(group)
    with nothing_changes_after():
        assert api.retitle(group, alice, "").ok == none
    named = api.retitle(group, alice, "Sunday lunch").ok
    with nothing_changes_after():
        assert api.retitle(group, alice, "Sunday lunch").ok == api.retitle(group, bob, "Sunday lunch").ok == named


def test_a_private_chat_can_have_a_title(api, alice, bob):
    private = api.private(alice, bob)
    assert api.retitle(private, bob, "us").ok["title"] == "us"
    assert api.create("private_chat", alice, bob)["title"] == "us"


def test_a_stranger_cannot_give_a_title(api, nothing_changes_after, group, bob):
    stranger = new_name()
    api.group(stranger)
    api.leave(group, bob)
    with nothing_changes_after():
        for name in (stranger, bob, "nobody_at_all"):
            api.retitle(group, name, "mine").problem(403, code="not_a_member")
    api.join(group, bob)
    api.retitle(group, bob, "mine").ok


@pytest.fixture(scope="module")
def chat(stack):
    """A conversation that no test changes, and its member."""
    with Client(stack) as own:
        name = new_name()
        return own.group(name), name


@pytest.mark.parametrize("title", NOT_TITLES, ids=lambda title: repr(title)[:15])
def test_an_invalid_title_is_refused(api, nothing_changes, chat, title):
    api.retitle(*chat, title).problem(400, code="invalid_title", field="title")


def test_a_missing_title_is_refused(api, nothing_changes, chat):
    refused = api.write("PATCH", f"/conversations/{chat[0]}", {"username": chat[1]})
    refused.problem(400, code="invalid_title", field="title")


@pytest.mark.parametrize("name", NOT_NAMES, ids=repr)
def test_an_invalid_name_is_refused(api, nothing_changes, chat, name):
    api.retitle(chat[0], name, "mine").problem(400, code="invalid_username", field="username")


def test_a_missing_name_is_refused(api, nothing_changes, chat):
    refused = api.write("PATCH", f"/conversations/{chat[0]}", {"title": "mine"})
    refused.problem(400, code="invalid_username", field="username")


def test_an_unknown_conversation_is_not_found(api, nothing_changes, chat):
    api.retitle(2**62, chat[1], "mine").problem(404, "Invalid conversation ID", "invalid_conversation_id")


def test_concurrent_titles_count_one_change_for_each_different_title(stack, api, group, alice):
    """The same title twelve times is one change; twelve different ones are twelve."""
    def retitle(title):
        with Client(stack) as own:
            return own.retitle(group, alice, title).ok["title"]

    for titles, version in ((["same"] * 12, 2), ([str(i) for i in range(12)], 14)):
        assert at_once([lambda title=title: retitle(title) for title in titles]) == titles
        found = api.conversation(group)
        assert found["version"] == version and found["title"] in titles
