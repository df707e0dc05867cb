"""An answer holds about a megabyte of content. The next page continues after it, in every direction of paging."""
import itertools

import pytest

from api import Client, new_name

COUNT = 26
LARGE = 65_536
# At least this much fits, and not much more than a megabyte does.
FITS, TOO_MANY = 8, 20


@pytest.fixture(scope="module")
def chat(stack):
    """A conversation, its member and its messages: large ones, with a few small ones between them."""
    with Client(stack) as api:
        alice = new_name()
        group = api.group(alice)
        messages = [api.send(group, alice, "small" if i % 10 == 9 else chr(97 + i % 26) * LARGE) for i in range(COUNT)]
        return group, alice, messages


def assert_early(page):
    assert FITS <= len(page["messages"]) <= TOO_MANY


def test_pages_forward_lose_no_large_message(api, chat):
    group, _, messages = chat
    held, page = [], None
    while page is None or page["has_next"]:
        page = api.seq_page(group, after_seq=len(held), limit=1000)
        assert page["messages"] and page["has_prev"] == bool(held)
        held += page["messages"]
        if page["has_next"]:
            assert_early(page)
    assert held == messages


def test_pages_backward_lose_no_large_message(api, chat):
    group, _, messages = chat
    held, page = [], None
    while page is None or page["has_prev"]:
        page = api.seq_page(group, before_seq=held[0]["seq"] if held else COUNT + 1, limit=1000)
        assert page["messages"] and page["has_next"] == bool(held)
        held = page["messages"] + held
        if page["has_prev"]:
            assert_early(page)
    assert held == messages


@pytest.mark.parametrize("seq", [1, 2, COUNT // 2, COUNT - 1, COUNT])
def test_pages_around_a_message_lose_no_large_message(api, chat, seq):
    group, _, messages = chat
    page = api.seq_page(group, around_seq=seq, limit=1000)
    held = page["messages"]
    assert messages[seq - 1] in held
    assert_early(page)
    first, last = held[0]["seq"], held[-1]["seq"]
    assert held == messages[first - 1:last]
    assert (page["has_prev"], page["has_next"]) == (first > 1, last < COUNT)


@pytest.mark.parametrize("query", [{}, {"username": True}], ids=["all", "of_a_user"])
@pytest.mark.parametrize("limit", [7, 1000])
def test_pages_of_changes_lose_no_large_message(api, chat, limit, query):
    group, alice, messages = chat
    held, after, more = [], 0, True
    while more:
        page = api.changes(group, after=after, limit=limit, **(query and {"username": alice}))
        held += page["messages"]
        assert page["version"] > after and len(page["messages"]) <= TOO_MANY
        after, more = page["version"], page["has_next"]
        if more:
            assert page["messages"]
    assert held == messages


def test_pages_of_a_users_list_lose_no_conversation(stack):
    """The last messages of these conversations are large."""
    with Client(stack) as api:
        alice = new_name()
        made = [api.group(alice) for _ in range(COUNT)]
        last = {group: api.send(group, alice, "x" * LARGE) for group in made}
        held, query = [], {}
        while True:
            page = api.list_page(alice, limit=1000, **query)
            if not page["conversations"]:
                break
            assert len(page["conversations"]) <= TOO_MANY
            held += page["conversations"]
            query = {"updated_before": held[-1]["updated_at"]}
    assert [entry["id"] for entry in held] == made[::-1]
    assert all(entry["last_message"] == last[entry["id"]] for entry in held)


@pytest.fixture(scope="module")
def liked(stack):
    """
    Short messages whose reactions are large: 32 emoji with 100 names each, some 75 kB. They are inserted into the
    database.
    """
    with Client(stack) as api:
        names = [new_name() for _ in range(120)]
        group = api.group(*names)
        sent = [api.send(group, names[0])["seq"] for _ in range(COUNT)]
        version = api.conversation(group)["version"]
        with stack.database.writing() as ask:
            first = stack.database.reserve(ask, "reaction_set", 32 * COUNT)
            for row, (seq, emoji) in enumerate(itertools.product(sent, range(0x1f600, 0x1f600 + 32)), start=first):
                ask("INSERT INTO reaction_set (id, place, emoji, count, named) VALUES (?, ?, ?, ?, true)",
                    row, (group << 32) + seq, chr(emoji), len(names))
                ask("INSERT INTO reaction SELECT CAST(? AS bigint), account, username FROM membership WHERE conversation = ?",
                    row, group)
            # Versions of changes differ.
            ask("UPDATE message SET emoji_count = 32, changed_version = ? + (place & 4294967295) WHERE place >> 32 = ?",
                version, group)
            ask("UPDATE conversation SET version = version + ? WHERE id = ?", COUNT + 1, group)
        return group, names[0], sent


@pytest.mark.parametrize("query", [{"after_seq": 0}, {"before_seq": COUNT + 1}, {"around_seq": COUNT // 2}], ids=repr)
def test_reactions_count_as_content(api, liked, query):
    group, name, _ = liked
    page = api.seq_page(group, limit=1000, **query)
    assert_early(page)
    entry = page["messages"][0]["reactions"]["😀"]
    assert entry["count"] == 120 and len(entry["names"]) == 100
    for path, more in (("/messages/", {"username": name}), ("/messages/", {"conversation_id": group}),
                       (f"/conversations/{group}/changes", {"after": 0})):
        other = api.get(path, limit=1000, **more).ok
        assert other["has_next"]
        assert_early(other)
