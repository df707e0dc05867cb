import threading

import pytest

from api import Client, at_once, new_name

NOT_SEQS = [-1, -2**63, "1", "", 1.5, 1.0, True, False, None, [], [1], {}]
NOT_NAMES = ["", "a b", "bob\n", "é", "a-b", "a" * 21, 7, True, None, [], {}]


@pytest.fixture
def group(api, alice, bob):
    group = api.group(alice, bob)
    for i in range(5):
        api.send(group, alice, str(i))
    return group


def test_a_read_marker_never_moves_back(api, nothing_changes_after, group, bob):
    assert api.read(group, bob, 2).ok == {"read_seq": 2, "unread": 3}
    with nothing_changes_after():
        for seq in (2, 1, 0):
            assert api.read(group, bob, seq).ok == {"read_seq": 2, "unread": 3}
    assert api.read(group, bob, 5).ok == {"read_seq": 5, "unread": 0}


@pytest.mark.parametrize("seq", [5, 6, 100, 2**31, 2**32, 2**62, 2**63 - 1])
def test_a_seq_beyond_the_last_message_counts_as_the_last(api, nothing_changes_after, group, alice, bob, seq):
    assert api.read(group, bob, seq).ok == {"read_seq": 5, "unread": 0}
    with nothing_changes_after():
        api.read(group, bob, seq).ok
    api.send(group, alice)
    assert api.listed(bob, group)["read_seq"] == 5
    assert api.listed(bob, group)["unread"] == 1


def test_a_read_marker_in_an_empty_conversation_is_zero(api, nothing_changes_after, alice):
    group = api.group(alice)
    with nothing_changes_after():
        for seq in (0, 1, 2**62):
            assert api.read(group, alice, seq).ok == {"read_seq": 0, "unread": 0}


def test_a_read_marker_changes_no_version(api, group, bob):
    before = api.conversation(group)
    api.read(group, bob, 3).ok
    assert api.conversation(group) == before


def test_a_read_marker_is_personal(api, group, alice, bob):
    api.read(group, bob, 3).ok
    assert (api.listed(alice, group)["read_seq"], api.listed(bob, group)["read_seq"]) == (0, 3)
    other = api.group(alice, bob)
    assert api.listed(bob, other)["read_seq"] == 0


def test_a_small_conversation_shows_the_markers_of_all_members(api, group, alice, bob):
    assert api.changes(group)["read"] == {}
    api.read(group, bob, 3).ok
    assert api.changes(group)["read"] == api.changes(group, after=6)["read"] == {bob: 3}
    api.read(group, alice, 5).ok
    assert api.changes(group, after=2**62)["read"] == {alice: 5, bob: 3}
    api.leave(group, bob)
    assert api.changes(group)["read"] == {alice: 5}


def test_a_read_marker_survives_leaving_and_rejoining(api, group, bob):
    api.read(group, bob, 3).ok
    api.leave(group, bob)
    api.join(group, bob)
    assert api.listed(bob, group)["read_seq"] == 3
    assert api.read(group, bob, 2).ok == {"read_seq": 3, "unread": 2}


def test_a_resync_of_the_owner_finds_a_moved_marker(api, group, alice, bob):
    """A user's own marker brings a conversation into their resync, and into that of no other user."""
    tick = api.conversation(group)["updated_at"]
    for name in (alice, bob):
        assert api.list_page(name, updated_after=tick)["conversations"] == []
    api.read(group, bob, 3).ok
    assert api.list_page(bob, updated_after=tick)["conversations"] == [api.listed(bob, group)]
    assert api.list_page(alice, updated_after=tick)["conversations"] == []
    later = api.send(api.group(alice), alice)["timestamp"]
    assert api.list_page(bob, updated_after=later)["conversations"] == []
    api.read(group, bob, 2).ok
    assert api.list_page(bob, updated_after=later)["conversations"] == []


def test_a_read_marker_of_a_stranger_is_refused(api, nothing_changes_after, group, bob):
    stranger = new_name()
    api.group(stranger)
    api.leave(group, bob)
    with nothing_changes_after():
        for name in (stranger, bob, "nobody_at_all"):
            api.read(group, name, 3).problem(403, code="not_a_member")


@pytest.fixture(scope="module")
def chat(stack):
    """A conversation that no test changes, and its member."""
    with Client(stack) as own:
        name = new_name()
        return own.send(own.group(name), name)["conversation"], name


@pytest.mark.parametrize("value", NOT_SEQS, ids=repr)
def test_an_invalid_seq_is_refused(api, nothing_changes, chat, value):
    api.read(*chat, value).problem(400, code="invalid_seq", field="seq")


def test_a_missing_seq_is_refused(api, nothing_changes, chat):
    refused = api.write("PUT", f"/conversations/{chat[0]}/read", {"username": chat[1]})
    refused.problem(400, code="invalid_seq", field="seq")


@pytest.mark.parametrize("value", NOT_NAMES, ids=repr)
def test_an_invalid_name_is_refused(api, nothing_changes, chat, value):
    api.read(chat[0], value, 1).problem(400, code="invalid_username", field="username")


def test_a_missing_name_is_refused(api, nothing_changes, chat):
    refused = api.write("PUT", f"/conversations/{chat[0]}/read", {"seq": 1})
    refused.problem(400, code="invalid_username", field="username")


def test_an_unknown_conversation_is_not_found(api, nothing_changes, chat):
    api.read(2**62, chat[1], 1).problem(404, "Invalid conversation ID", "invalid_conversation_id")


def test_the_furthest_of_twelve_concurrent_markers_wins(stack, api, group, bob):
    start = threading.Barrier(12)

    def read(seq):
        with Client(stack) as own:
            own.get("/healthz").ok  # connect before the race starts
            start.wait()
            return own.read(group, bob, seq).ok["read_seq"]

    seqs = [1, 2, 3, 4] * 3
    answers = at_once([lambda seq=seq: read(seq) for seq in seqs])
    assert all(seq <= answer <= 4 for seq, answer in zip(seqs, answers))
    assert api.listed(bob, group)["read_seq"] == 4
