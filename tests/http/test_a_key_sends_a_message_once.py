"""
A send with a key (`client_id` or `Idempotency-Key`) is idempotent forever: a repeat gets the message as it is now.
"""
import threading

import pytest

from api import at_once, Client, new_name, plain

KEYS = {"the_body": lambda key: {"client_id": key}, "the_header": lambda key: {"headers": {"Idempotency-Key": key}},
        "both": lambda key: {"client_id": key, "headers": {"Idempotency-Key": key}}}
WAYS = pytest.mark.parametrize("way", KEYS.values(), ids=KEYS)


def first(answer):
    assert "Idempotent-Replayed" not in answer.headers
    return answer.ok


def replayed(answer):
    assert answer.headers.get_all("Idempotent-Replayed") == ["true"], answer
    return answer.ok


def refused(answer):
    assert "Idempotent-Replayed" not in answer.headers
    answer.problem(422, code="idempotency_mismatch")


@WAYS
def test_a_repeat_gets_the_first_message(api, nothing_changes_after, group, alice, way):
    sent = first(api.submit(group, alice, **way("k 1")))
    assert set(sent) == {"id", "conversation", "seq", "sender", "content", "timestamp", "client_id"}
    assert (sent["client_id"], sent["seq"]) == ("k 1", 1)
    with nothing_changes_after():
        for _ in range(3):
            assert replayed(api.submit(group, alice, **way("k 1"))) == sent
    assert api.page(conversation_id=group)["messages"] == [sent]
    assert api.page(username=alice)["messages"] == [sent]
    assert api.message(sent["id"]) == sent


@WAYS
@pytest.mark.parametrize("again", KEYS.values(), ids=KEYS)
def test_keys_in_body_and_header_are_the_same(api, nothing_changes_after, group, alice, way, again):
    sent = first(api.submit(group, alice, **way("the key")))
    with nothing_changes_after():
        assert replayed(api.submit(group, alice, **again("the key"))) == sent


@WAYS
def test_ten_concurrent_repeats_send_one_message(stack, api, group, alice, way):
    for round_number in range(5):
        before = api.conversation(group)
        start = threading.Barrier(10)

        def send():
            with Client(stack) as own:
                own.get("/healthz").ok  # connect before the race starts
                start.wait()
                return own.submit(group, alice, **way(f"race {round_number}"))

        answers = at_once([send] * 10)
        assert sorted(answer.headers.get("Idempotent-Replayed", "false") for answer in answers) == \
            ["false"] + ["true"] * 9
        assert all(answer.ok == answers[0].ok for answer in answers)
        after = api.conversation(group)
        assert (after["last_seq"], after["version"]) == (before["last_seq"] + 1, before["version"] + 1)


def test_of_ten_concurrent_sends_with_two_contents_one_content_wins(stack, api, group, alice):
    """
    Two contents under one key: the first becomes the message, and the five sends of the other are refused as a
    mismatch.
    """
    for round_number in range(5):
        start = threading.Barrier(10)

        def send(content):
            with Client(stack) as own:
                own.get("/healthz").ok
                start.wait()
                return own.submit(group, alice, content, client_id=f"race {round_number}")

        answers = at_once([lambda content=content: send(content) for content in ["this", "that"] * 5])
        granted = [answer for answer in answers if answer.status == 200]
        assert len(granted) == 5 and all(answer.ok == granted[0].ok for answer in granted)
        assert sum("Idempotent-Replayed" in answer.headers for answer in granted) == 4
        for answer in answers:
            if answer not in granted:
                refused(answer)
        assert api.conversation(group)["last_seq"] == round_number + 1


def test_another_content_under_the_same_key_is_refused(api, nothing_changes_after, group, alice):
    first(api.submit(group, alice, "hello", client_id="k"))
    with nothing_changes_after():
        for content in ("hello ", "Hello", "", "hellp", "hello\n", "x" * 65_536):
            refused(api.submit(group, alice, content, client_id="k"))


def test_another_conversation_under_the_same_key_is_refused(api, nothing_changes_after, group, alice, bob):
    first(api.submit(group, alice, client_id="k"))
    others = [api.group(alice, bob), api.private(alice, bob)]
    with nothing_changes_after():
        for other in others:
            refused(api.submit(other, alice, client_id="k"))


def test_another_reply_to_under_the_same_key_is_refused(api, nothing_changes_after, group, alice):
    one, other = api.send(group, alice), api.send(group, alice)
    reply = first(api.submit(group, alice, client_id="reply", reply_to=one["id"]))
    plain_message = first(api.submit(group, alice, client_id="plain"))
    with nothing_changes_after():
        assert replayed(api.submit(group, alice, client_id="reply", reply_to=one["id"])) == reply
        refused(api.submit(group, alice, client_id="reply", reply_to=other["id"]))
        refused(api.submit(group, alice, client_id="reply", reply_to=2**62))
        refused(api.submit(group, alice, client_id="reply"))
        assert replayed(api.submit(group, alice, client_id="plain")) == plain_message
        refused(api.submit(group, alice, client_id="plain", reply_to=one["id"]))


@pytest.mark.parametrize("change", ["edit", "erase"])
def test_a_repeat_of_a_changed_reply_is_recognised_by_its_reply_to(api, nothing_changes_after, group, alice, change):
    one, other = api.send(group, alice), api.send(group, alice)
    reply = first(api.submit(group, alice, "hello", client_id="k", reply_to=one["id"]))
    now = (api.edit(reply["id"], alice, "edited") if change == "edit" else api.erase(reply["id"], alice)).ok
    with nothing_changes_after():
        assert replayed(api.submit(group, alice, "hello", client_id="k", reply_to=one["id"])) == now
        refused(api.submit(group, alice, "hello", client_id="k", reply_to=other["id"]))


def test_a_missing_content_and_an_empty_one_are_the_same_request(api, nothing_changes_after, group, alice):
    body = {"conversation_id": group, "username": alice, "client_id": "k"}
    sent = first(api.post("/messages/", body))
    assert sent["content"] == ""
    with nothing_changes_after():
        assert replayed(api.post("/messages/", body)) == sent
        assert replayed(api.submit(group, alice, "", client_id="k")) == sent


def test_a_repeat_after_an_edit_gets_the_edited_message(api, nothing_changes_after, group, alice):
    sent = first(api.submit(group, alice, "hello", client_id="k"))
    for content in ("edited", "edited again", ""):
        edited = api.edit(sent["id"], alice, content).ok
        with nothing_changes_after():
            assert replayed(api.submit(group, alice, "hello", client_id="k")) == edited
            refused(api.submit(group, alice, content, client_id="k"))
    back = api.edit(sent["id"], alice, "hello").ok
    with nothing_changes_after():
        assert replayed(api.submit(group, alice, "hello", client_id="k")) == back
        refused(api.submit(group, alice, "edited", client_id="k"))


@pytest.mark.parametrize("edited", [False, True], ids=["", "edited_before"])
def test_a_repeat_after_a_deletion_gets_the_stub(api, nothing_changes_after, group, alice, edited):
    sent = first(api.submit(group, alice, "hello", client_id="k"))
    if edited:
        api.edit(sent["id"], alice, "edited").ok
    stub = api.erase(sent["id"], alice).ok
    assert stub["client_id"] == "k"
    with nothing_changes_after():
        assert replayed(api.submit(group, alice, "hello", client_id="k")) == stub
        for content in ("", "edited", "hello!"):
            refused(api.submit(group, alice, content, client_id="k"))


def test_a_repeat_of_a_deleted_empty_message_is_recognised(api, nothing_changes_after, group, alice):
    sent = first(api.submit(group, alice, "", client_id="k"))
    stub = api.erase(sent["id"], alice).ok
    with nothing_changes_after():
        assert replayed(api.submit(group, alice, "", client_id="k")) == stub
        refused(api.submit(group, alice, "hello", client_id="k"))


def test_a_repeat_shows_reactions(api, group, alice, bob):
    sent = first(api.submit(group, alice, client_id="k"))
    liked = api.react(sent["id"], bob, "👍").ok
    assert plain(replayed(api.submit(group, alice, client_id="k"))) == plain(liked) == {**sent, "reactions": {"👍": [bob]}}


def test_a_repeat_after_leaving_gets_the_first_message(api, nothing_changes_after, group, alice):
    sent = first(api.submit(group, alice, client_id="k"))
    api.leave(group, alice)
    with nothing_changes_after():
        assert replayed(api.submit(group, alice, client_id="k")) == sent
        api.submit(group, alice, client_id="another").problem(403, code="not_a_member")
    api.join(group, alice)
    with nothing_changes_after():
        assert replayed(api.submit(group, alice, client_id="k")) == sent
    first(api.submit(group, alice, client_id="another"))


def test_each_sender_has_their_own_keys(api, nothing_changes_after, group, alice, bob):
    hers = first(api.submit(group, alice, "hers", client_id="k"))
    his = first(api.submit(group, bob, "his", client_id="k"))
    assert (hers["seq"], his["seq"]) == (1, 2)
    with nothing_changes_after():
        assert replayed(api.submit(group, alice, "hers", client_id="k")) == hers
        assert replayed(api.submit(group, bob, "his", client_id="k")) == his
        refused(api.submit(group, bob, "hers", client_id="k"))


@pytest.mark.parametrize("one, other", [("k", "K"), ("k", "k "), (" k", "k"), ("k", "kk"), ("0", "00"), ("%41", "A")])
def test_keys_are_compared_byte_for_byte(api, group, alice, one, other):
    ids = {first(api.submit(group, alice, client_id=key))["id"] for key in (one, other)}
    assert len(ids) == 2


def test_without_a_key_each_send_makes_a_message(api, group, alice):
    sent = [first(api.submit(group, alice, client_id=None)) for _ in range(3)]
    assert [message["seq"] for message in sent] == [1, 2, 3]
    assert not any("client_id" in message for message in sent)


@WAYS
def test_a_refused_send_uses_up_no_key(api, nothing_changes_after, group, alice, way):
    elsewhere = api.group(new_name())
    foreign = api.send(elsewhere, api.conversation(elsewhere)["members"][0])
    with nothing_changes_after():
        api.submit(2**62, alice, **way("k")).problem(400)
        api.submit(elsewhere, alice, **way("k")).problem(403)
        api.submit(group, alice, 7, **way("k")).problem(400)
        api.submit(group, alice, "x" * 65_537, **way("k")).problem(413)
        api.submit(group, alice, reply_to=foreign["id"], **way("k")).problem(400)
        api.submit(group, alice, reply_to="x", **way("k")).problem(400)
    assert first(api.submit(group, alice, **way("k")))["seq"] == 1


def test_a_mismatch_uses_up_nothing(api, group, alice):
    sent = first(api.submit(group, alice, "one", client_id="k"))
    refused(api.submit(group, alice, "two", client_id="k"))
    assert replayed(api.submit(group, alice, "one", client_id="k")) == sent
    assert first(api.submit(group, alice, "two", client_id="k2"))["seq"] == 2
