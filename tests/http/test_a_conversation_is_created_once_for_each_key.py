"""
A creation with a key (`client_id` or `Idempotency-Key`) is idempotent forever: a repeat gets the first conversation.
"""
import threading

import pytest

from api import Client, at_once, new_name

KEYS = {"the_body": lambda key: ({"client_id": key}, {}), "the_header": lambda key: ({}, {"Idempotency-Key": key}),
        "both": lambda key: ({"client_id": key}, {"Idempotency-Key": key})}
WAYS = pytest.mark.parametrize("way", KEYS.values(), ids=KEYS)


@pytest.fixture
def alice():
    return new_name("alice")


@pytest.fixture
def bob():
    return new_name("bob")


def create(api, username, *members, kind="group_chat", key=None, headers=(), **more):
    """Returns the answer, granted or not."""
    body = {"type": kind, "members": members, **({"username": username} if username else {}), **more}
    return api.write("POST", "/conversations/", {**body, **({"client_id": key} if key else {})}, headers)


def first(answer):
    assert "Idempotent-Replayed" not in answer.headers, answer
    return answer.ok


def replayed(answer):
    assert answer.headers.get_all("Idempotent-Replayed") == ["true"], answer
    return answer.ok


@WAYS
@pytest.mark.parametrize("again", KEYS.values(), ids=KEYS)
def test_a_repeat_gets_the_first_conversation_by_body_or_header(api, nothing_changes_after, alice, bob, way, again):
    (body, headers), (same, elsewhere) = way("k 1"), again("k 1")
    made = first(create(api, alice, bob, title="Tea", headers=headers, **body))
    assert made["title"] == "Tea" and "client_id" not in made
    with nothing_changes_after():
        for _ in range(3):
            assert replayed(create(api, alice, bob, title="Tea", headers=elsewhere, **same)) == made


def test_a_repeat_shows_the_conversation_as_it_is_now(api, alice, bob):
    made = first(create(api, alice, bob, key="k"))
    api.retitle(made["id"], alice, "later").ok
    api.send(made["id"], bob)
    api.leave(made["id"], bob)
    now = api.conversation(made["id"])
    assert (now["title"], now["last_seq"], now["members"]) == ("later", 1, [alice])
    assert replayed(create(api, alice, bob, key="k")) == now


def test_order_and_duplicates_of_names_do_not_change_the_request(api, alice, bob):
    made = first(create(api, alice, bob, key="k"))
    for members in ((alice, bob), (bob, alice, bob), (bob,)):
        assert replayed(create(api, alice, *members, key="k")) == made


@pytest.mark.parametrize("other", [{"title": "Tee"}, {"title": None}, {"join": "invite"}, {"members": []},
                                   {"kind": "private_chat"}], ids=str)
def test_a_different_request_under_the_same_key_is_refused(api, nothing_changes_after, alice, bob, other):
    asked = {"kind": "group_chat", "members": [bob], "title": "Tea", "join": None}
    first(create(api, alice, *asked.pop("members"), key="k", **asked))
    asked = {"kind": "group_chat", "members": [bob], "title": "Tea", "join": None, **other}
    with nothing_changes_after():
        create(api, alice, *asked.pop("members"), key="k", **asked).problem(
            422, "This idempotency key was used for another conversation", code="idempotency_mismatch",
            field="client_id")
        (_, headers) = KEYS["the_header"]("k")
        asked = {"kind": "group_chat", "members": [bob], "title": "Tea", "join": None, **other}
        create(api, alice, *asked.pop("members"), headers=headers, **asked).problem(
            422, code="idempotency_mismatch", field="Idempotency-Key")


def test_keys_are_scoped_by_creator_and_anonymous_creators_share_a_scope(api, alice, bob):
    key = new_name("key")
    made = [first(create(api, username, bob, key=key)) for username in (alice, bob, None)]
    assert len({conversation["id"] for conversation in made}) == 3
    for username, conversation in zip((alice, bob, None), made):
        assert replayed(create(api, username, bob, key=key)) == conversation


def test_a_message_may_have_the_same_key(api, alice, bob):
    made = first(create(api, alice, bob, key="k"))
    api.submit(made["id"], alice, client_id="k").ok
    assert replayed(create(api, alice, bob, key="k"))["last_seq"] == 1


def test_without_a_key_each_creation_makes_a_new_conversation(api, alice, bob):
    assert first(create(api, alice, bob))["id"] != first(create(api, alice, bob))["id"]
    assert first(create(api, alice, bob, client_id=None))["id"] != first(create(api, alice, bob, key="k"))["id"]


def test_a_private_chat_that_exists_is_returned_under_any_key(api, alice, bob):
    chat = api.private(alice, bob)
    made = first(create(api, alice, bob, kind="private_chat", key="k", title="ignored"))
    assert (made["id"], made["title"]) == (chat, "")
    assert replayed(create(api, alice, bob, kind="private_chat", key="k", title="ignored")) == made
    create(api, alice, new_name(), kind="private_chat", key="k").problem(422, code="idempotency_mismatch")


def test_a_refused_creation_uses_up_no_key(api, nothing_changes_after, alice, bob):
    with nothing_changes_after():
        create(api, alice, "no name", key="k").problem(400, code="invalid_username")
        create(api, alice, bob, title="x" * 201, key="k").problem(400, code="invalid_title")
    assert first(create(api, alice, bob, key="k"))["member_count"] == 2


@pytest.mark.parametrize("key", ["", "x" * 65, "é", "k\n", 7, True, ["k"], {}], ids=ascii)
def test_a_bad_key_is_refused(api, nothing_changes, alice, bob, key):
    create(api, alice, bob, client_id=key).problem(400, code="invalid_client_id", field="client_id")


def test_different_keys_in_body_and_header_are_refused(api, nothing_changes, alice, bob):
    create(api, alice, bob, key="a", headers={"Idempotency-Key": "b"}).problem(400, code="invalid_client_id")
    create(api, alice, bob, headers={"Idempotency-Key": "x" * 65}).problem(400, code="invalid_client_id")


@WAYS
def test_ten_concurrent_repeats_create_one_conversation(stack, alice, bob, way):
    for round_number in range(5):
        body, headers = way(f"race {round_number}")
        start = threading.Barrier(10)

        def race(body=body, headers=headers, start=start):
            with Client(stack) as own:
                own.get("/healthz").ok  # connect before the race starts
                start.wait()
                return create(own, alice, bob, headers=headers, **body)

        answers = at_once([race] * 10)
        assert len({answer.ok["id"] for answer in answers}) == 1
        assert [answer.headers["Idempotent-Replayed"] for answer in answers].count("true") == 9


# -- the title


@pytest.mark.parametrize("kind", ["group_chat", "private_chat"])
def test_a_title_is_part_of_the_creation(api, alice, bob, kind):
    made = first(create(api, alice, bob, kind=kind, title="Tea \U0001F375"))
    assert (made["title"], made["version"]) == ("Tea \U0001F375", 1)
    assert api.conversation(made["id"]) == made


@pytest.mark.parametrize("title", ["", None, "x" * 200, "\U0001F375" * 200], ids=["empty", "null", "long", "wide"])
def test_a_valid_title_is_accepted(api, alice, title):
    assert first(create(api, alice, title=title))["title"] == (title or "")


@pytest.mark.parametrize("title", [7, True, [], {}, "x" * 201], ids=lambda title: ascii(title)[:20])
def test_an_invalid_title_is_refused(api, nothing_changes, alice, title):
    create(api, alice, title=title).problem(400, code="invalid_title", field="title")
