import asyncio
import http.client

import pytest
import websockets

from api import TIMEOUT_S, new_name

EVENTS = {"Accept": "text/event-stream"}
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


@pytest.fixture
def alice(api):
    name = new_name()
    api.group(name)
    return name


@pytest.mark.parametrize("path", ["/ws", "/ws/"])
def test_a_websocket_is_opened(stack, alice, path):
    async def headers():
        async with websockets.connect(f"{stack.ws_url}{path}?username={alice}") as connection:
            return connection.response_headers
    assert len(asyncio.run(headers())["X-Request-Id"]) == 32


@pytest.mark.parametrize("path", ["/ws", "/ws/"])
def test_an_event_source_is_opened(stack, alice, path):
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=TIMEOUT_S)
    connection.request("GET", f"{path}?username={alice}", headers=EVENTS)
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, "text/event-stream")
    assert len(answer.headers["X-Request-Id"]) == 32
    connection.close()


@pytest.mark.parametrize("headers", [EVENTS, UPGRADE, {}], ids=["events", "websocket", "neither"])
@pytest.mark.parametrize("query", [
    "", "?", "?username", "?username=", "?username=bad%20name", "?username=bob%0a", "?username=%00", "?username=%zz",
    "?username=%ff", "?username=" + "x" * 21, "?username=a&username=b", "?username=a/../b", "?username=a,b",
    "?user=bob",
])
def test_a_missing_or_invalid_name_is_refused(api, nothing_changes, query, headers):
    api.request("GET", "/ws/" + query, headers=headers).problem(400, field="username")


@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}, {"Upgrade": "h2c", "Connection": "Upgrade"}],
                         ids=["nothing", "json", "another_upgrade"])
def test_another_protocol_is_refused(api, alice, nothing_changes, headers):
    answer = api.request("GET", f"/ws/?username={alice}", headers=headers)
    assert 400 <= answer.status < 500
    answer.problem(answer.status)
