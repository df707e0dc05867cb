import socket

import pytest

from api import new_name, reactions, TIMEOUT_S


def test_each_request_works_under_a_prefix(there):
    alice, bob = new_name("a"), new_name("b")
    group = there.group(alice, bob)
    sent = there.submit(group, alice, client_id="k").ok
    assert there.submit(group, alice, headers={"Idempotency-Key": "k"}).headers["Idempotent-Replayed"] == "true"
    liked = there.react(sent["id"], bob, "👍🏽").ok
    assert reactions(liked) == {"👍🏽": [bob]}
    assert reactions(there.react(sent["id"], bob, "%?#\\").ok)["%?#\\"] == [bob]
    assert there.unreact(sent["id"], bob, "%?#\\").ok == liked
    edited = there.edit(sent["id"], alice, "edited").ok
    assert there.message(sent["id"]) == edited
    assert there.seq_page(group, around_seq=1)["messages"] == [edited]
    assert there.retitle(group, bob, "title").ok["title"] == "title"
    assert there.read(group, bob, 1).ok == {"read_seq": 1, "unread": 0}
    assert there.listed(bob, group)["last_message"] == edited
    assert there.changes(group, username=bob)["messages"] == [edited]
    assert there.post(f"/conversations/{group}/typing", {"username": bob}).status == 202
    assert there.get(f"/conversations/{group}/presence").ok == {"online": []}
    assert there.erase(sent["id"], alice).ok["content"] == ""
    assert there.get("/openapi.json").ok["openapi"].startswith("3.1.")
    assert b"\n# TYPE imd_" in there.get("/metrics").body


def test_refusals_work_under_a_prefix(there):
    there.get("/messages/0").problem(404)
    there.get("/messages/9").problem(404, "Invalid message ID")
    wrong = there.request("POST", "/messages/9/reactions/%F0%9F%91%8D")
    wrong.problem(405)
    assert {method.strip() for method in wrong.headers["Allow"].split(",")} == {"PUT", "DELETE"}


@pytest.mark.parametrize("path", [b"/messages/1", b"/conversations/1/changes", b"/metrics", b"/openapi.json",
                                  b"/chat/nope/openapi.json", b"/chatopenapi.json"])
def test_nothing_is_served_outside_the_prefix(mounted, path):
    """Paths outside the prefix may be answered by the host."""
    with socket.create_connection(("127.0.0.1", mounted.port), timeout=TIMEOUT_S) as connection:
        connection.sendall(b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path)
        assert connection.recv(4096).split(b" ")[1] == b"404"
