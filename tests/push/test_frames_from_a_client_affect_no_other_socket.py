"""Clients have no reason to send frames. One that does may lose its own socket, but no other socket is affected."""
import os
import socket
import struct

from chat import contents, name
from handshake import UPGRADE
from stack import children


def test_frames_affect_no_other_socket(chat, listen, stack):
    ann, bob = name("ann"), name("bob")
    conversation = chat.private(ann, bob)
    ears = [listen(stack, ann, kind) for kind in ("websocket", "eventsource")]
    before = children(stack.nginx_pid)
    for frame in ("hello", b"\0\xff", "", "x" * 200_000, '{"type": "notify", "epoch": "x", "events": []}'):
        talker = listen(stack, ann)
        talker.send(frame)
        talker.send(frame)
        chat.send(conversation, bob, "and on")
    for ear in ears:
        assert contents(ear.wait_for(conversation["id"], 5)) == ["and on"] * 5
        assert ear.ended is None
    assert children(stack.nginx_pid) == before


def raw_frame(opcode, payload, fin=0x80, masked=0x80, length=None):
    head = struct.pack("!BBQ", fin | opcode, masked | 127, len(payload) if length is None else length)
    return head + (b"\0\0\0\0" if masked else b"") + payload


BROKEN = {
    "unmasked": raw_frame(1, b"hello", masked=0),
    "reserved opcode": raw_frame(7, b"hello"),
    "reserved bits": raw_frame(0x71, b"hello"),
    "continuation of nothing": raw_frame(0, b"hello"),
    "length of 2^63": raw_frame(1, b"hello", length=2**63),
    "all bits": b"\xff" * 4096,
    "long ping": raw_frame(9, b"x" * 4000),
    "an unsolicited pong": raw_frame(10, b"x"),
    "close with half a code": raw_frame(8, b"\x03"),
    "bad utf-8": raw_frame(1, b"\xff\xfe"),
    "half a head": b"\x81",
    "noise": os.urandom(4096),
}


def test_malformed_frames_affect_no_other_socket(chat, listen, stack):
    ann, bob = name("ann"), name("bob")
    conversation = chat.private(ann, bob)
    ear = listen(stack, ann)
    before = children(stack.nginx_pid)
    lines = [f"GET {stack.prefix}/ws/?username={ann} HTTP/1.1", "Host: x"] + [f"{k}: {v}" for k, v in UPGRADE.items()]
    for case, frame in BROKEN.items():
        with socket.create_connection(("127.0.0.1", stack.port), timeout=15) as talker:
            talker.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            assert talker.recv(12) == b"HTTP/1.1 101", case
            try:
                talker.sendall(frame)
            except OSError:
                pass  # the server closed the socket in the middle of the frame
            chat.send(conversation, bob, case)
    assert contents(ear.wait_for(conversation["id"], len(BROKEN))) == list(BROKEN)
    assert children(stack.nginx_pid) == before
