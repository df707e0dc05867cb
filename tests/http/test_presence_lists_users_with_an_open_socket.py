"""An answer may be a second old, so each test uses conversations about which no answer can be cached yet."""
import socket
from contextlib import ExitStack, contextmanager

import pytest

from api import TIMEOUT_S, Client, at_once, new_name
from stack import wait_until

HANDSHAKES = {
    "websocket": ("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"HTTP/1.1 101 "),
    "eventsource": ("Accept: text/event-stream\r\n", b"HTTP/1.1 200 "),
}
SOON_S = 2


@contextmanager
def listening(stack, name, kind="websocket"):
    headers, status = HANDSHAKES[kind]
    with socket.create_connection(("127.0.0.1", stack.port), timeout=TIMEOUT_S) as connection:
        connection.sendall(f"GET /ws/?username={name} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        assert head.startswith(status), head
        yield


def online(api, conversation):
    found = api.get(f"/conversations/{conversation}/presence").ok
    assert set(found) == {"online"}
    return found["online"]


def settle(api):
    """Returns once nothing is left to push, so that sockets opened now receive nothing of earlier changes."""
    wait_until(lambda: api.get("/healthz").ok["outbox_pending"] == 0, TIMEOUT_S, "all changes are pushed")


def wait_for(api, conversation, names):
    wait_until(lambda: online(api, conversation) == names, SOON_S, f"{names} are online")


@pytest.fixture
def names():
    n = new_name("")
    return [f"{stem}{n}" for stem in ("b", "a", "B", "_")]


def test_a_conversation_without_listeners_has_an_empty_list(api, nothing_changes_after, names):
    group, empty = api.group(*names), api.group()
    with nothing_changes_after():
        assert online(api, group) == online(api, empty) == []


@pytest.mark.parametrize("kind", HANDSHAKES)
def test_presence_follows_sockets_that_open_and_close(stack, api, names, kind):
    group, private = api.group(*names), api.private(*names[:2])
    settle(api)
    with listening(stack, names[0], kind):
        wait_for(api, group, [names[0]])
        with listening(stack, names[1], kind), listening(stack, names[2], kind):
            wait_for(api, group, sorted(names[:3]))
            wait_for(api, private, sorted(names[:2]))
        wait_for(api, group, [names[0]])
        wait_for(api, private, [names[0]])
    wait_for(api, group, [])
    wait_for(api, private, [])


def test_the_first_answer_is_current(stack, api, names):
    """The names are in byte order, and only of members."""
    with ExitStack() as open_ones:
        for name in names:
            open_ones.enter_context(listening(stack, name))
        wait_for(api, api.group(names[0]), names[:1])
        wait_until(lambda: online(api, api.group(*names)) == sorted(names, key=str.encode), SOON_S, "all are online")
        assert online(api, api.group(*names[1:3])) == sorted(names[1:3])
        assert online(api, api.group(new_name())) == []


def test_a_user_with_two_sockets_is_listed_once(stack, api, names):
    group = api.group(*names)
    settle(api)
    with listening(stack, names[0]):
        with listening(stack, names[0], "eventsource"):
            pass
        # The first request about this group, so no older answer can be cached.
        assert online(api, group) == [names[0]]
        with listening(stack, names[0], "eventsource"):
            assert online(api, group) == [names[0]]
    wait_for(api, group, [])


def test_a_former_member_is_not_listed(stack, api, names):
    group = api.group(*names)
    with listening(stack, names[0]):
        wait_for(api, group, [names[0]])
        api.leave(group, names[0])
        wait_for(api, group, [])
        api.join(group, names[0])
        wait_for(api, group, [names[0]])


def test_conversations_of_more_than_1000_members_are_refused(stack, api, nothing_changes_after):
    names = sorted(new_name() for _ in range(1001))
    group = api.group(*names)
    path = f"/conversations/{group}/presence"
    with nothing_changes_after():
        api.get(path).problem(422, code="too_many_members")
    api.leave(group, names[500])
    with ExitStack() as open_ones:
        for name in (names[0], names[499], names[500], names[1000]):
            open_ones.enter_context(listening(stack, name))
        wait_for(api, group, [names[0], names[499], names[1000]])


def test_concurrent_requests_are_all_answered(stack, api, names):
    groups = [api.group(names[0], *names[i:]) for i in range(1, 5)] * 2

    def ask(group):
        with Client(stack) as own:
            return [online(own, group) for _ in range(20)]

    with listening(stack, names[0]):
        for group in groups:
            wait_for(api, group, [names[0]])
        assert at_once([lambda group=group: ask(group) for group in groups]) == [[[names[0]]] * 20] * len(groups)


def test_an_unknown_conversation_is_not_found(api, nothing_changes):
    refused = api.get(f"/conversations/{2**62}/presence")
    refused.problem(404, "Invalid conversation ID", "invalid_conversation_id")


def test_a_socket_closed_just_after_a_push_is_not_listed(stack, api):
    names = [new_name() for _ in range(12)]
    group = api.group(*names)
    with ExitStack() as open_ones:
        for name in names:
            open_ones.enter_context(listening(stack, name))
        wait_for(api, group, sorted(names))
        api.send(group, names[0])
        settle(api)
    wait_for(api, group, [])
