"""
A half-open socket: its client is gone without closing it. nchan closes it at the second ping if the first was not
answered, so after two nchan_websocket_ping_interval (imd-server.conf: 25 s; here 1 s).
"""
import time

from api import new_name
from slow import WEBSOCKET, others_are_answered, subscribe, until_ended

PING, PONG = b"\x89\x00", b"\x8a\x80\0\0\0\0"
# A close frame with code 1000.
CLOSE = b"\x88\x09\x03\xe8"


def test_a_websocket_without_pongs_is_closed_at_the_second_ping(stack):
    client, status = subscribe(stack, new_name(), WEBSOCKET)
    with client, others_are_answered(stack):
        assert status == 101
        start = time.monotonic()
        came, _ = until_ended(client)
        assert 1.5 < time.monotonic() - start < 5
        assert b"\r\n\r\n" + PING + CLOSE in came


def test_a_websocket_that_answers_pings_stays_open(stack):
    client, _ = subscribe(stack, new_name(), WEBSOCKET)
    with client:
        client.settimeout(5)
        while client.recv(65536)[-4:] != b"\r\n\r\n":
            pass
        for _ in range(3):
            assert client.recv(100) == PING
            client.sendall(PONG)
