"""
limit_conn imd_sockets (imd-server.conf) allows 50 sockets: by address if callers are anonymous, else by user.
"""
import contextlib

import handshake
from api import new_name
from slow import ELSEWHERE, EVENTSOURCE, WEBSOCKET, others_are_answered, subscribe

SOCKETS = 50


def test_the_51st_socket_of_an_address_gets_429_and_others_can_subscribe(stack):
    with contextlib.ExitStack() as cleanup, others_are_answered(stack):

        def subscribed(lines, **more):
            client, status = subscribe(stack, new_name(), lines, **more)
            cleanup.enter_context(client)
            return status in (101, 200)

        for number in range(SOCKETS):
            assert subscribed((WEBSOCKET, EVENTSOURCE)[number % 2])
        for headers in (handshake.UPGRADE, {"Accept": "text/event-stream"}):
            refused = handshake.request(stack, f"/ws/?username={new_name()}", headers)
            refused.assert_problem(429)
            assert refused.headers["retry-after"] == "1"
        assert subscribed(WEBSOCKET, source=ELSEWHERE) and subscribed(EVENTSOURCE, source=ELSEWHERE)
