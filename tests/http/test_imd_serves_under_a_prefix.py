import asyncio
import socket

import websockets

from api import new_name, raw_request


def test_the_six_requests_of_the_ancestor_work_under_a_prefix(there):
    alice, bob = new_name("a"), new_name("b")
    group = there.create("group_chat", alice)
    private = there.create("private_chat", bob, alice)
    assert there.get("/conversations/", id=[private["id"], group["id"]]).ok == {"conversations": [group, private]}
    there.join(group["id"], bob)
    sent = [there.send(group["id"], bob, "one"), there.send(private["id"], alice, "two")]
    there.leave(group["id"], bob)
    for slash in ("", "/"):
        assert there.get(f"/messages{slash}?username={alice}").ok == {"messages": sent, "has_next": False}
    assert there.page(conversation_id=private["id"])["messages"] == sent[1:]


def test_healthz_works_under_a_prefix(there):
    there.get("/healthz").ok


def test_a_socket_opens_under_a_prefix(mounted, there):
    alice = new_name()
    there.group(alice)

    async def headers():
        async with websockets.connect(f"{mounted.ws_url}/ws/?username={alice}") as connection:
            return connection.response_headers
    assert len(asyncio.run(headers())["X-Request-Id"]) == 32


def test_refusals_work_under_a_prefix(mounted, there):
    there.get("/messages/").problem(400, "Either username or conversation ID must be specified")
    there.get("/ws/").problem(400, field="username")
    there.get("/nope").problem(404)
    there.get("/conversations/1/nope").problem(404)
    wrong = there.request("DELETE", "/messages/")
    wrong.problem(405)
    assert {method.strip() for method in wrong.headers["Allow"].split(",")} == {"GET", "HEAD", "POST"}
    raw_request(mounted, b"POST", b"/chat/messages/", [b"Content-Length: 67108864"]).problem(413)


def test_nothing_is_served_outside_the_prefix(mounted):
    for path in (b"/messages/?username=bob", b"/conversations/", b"/healthz", b"/ws/?username=bob", b"/chatmessages/"):
        head = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path
        assert status_of(mounted, head) == 404, path


def status_of(mounted, data):
    """Paths outside the prefix may be answered by the host."""
    with socket.create_connection(("127.0.0.1", mounted.port), timeout=5) as connection:
        connection.sendall(data)
        return int(connection.recv(4096).split(b" ")[1])
