"""
Nothing is published to users who certainly have no subscription, and a new subscriber receives the very next message.

A user becomes silent 10 s after the start or after their last subscription, so each stack waits for that once.
"""
import os
import re
import signal
import socket
import tempfile
from pathlib import Path

import pytest

from chat import Chat, name
from listeners import Audience
from stack import Stack, wait_until

MEMBERS = 10
# imd asks after 10 s; the rest is a margin for a busy machine.
SILENT_S = 120


class Scene:
    """A group of ten. Only the first user listens, from the beginning."""

    def __init__(self, stack, settings, audience):
        self.stack, self.settings, self.audience = stack, settings, audience
        self.chat = Chat(stack)
        self.members = [name("m") for _ in range(MEMBERS)]
        self.group = self.chat.group(*self.members)
        self.chat.settle()
        self.first = audience.listen(stack, self.members[0])
        self.sent = 0

    def metric(self, key):
        return int(re.search(rf"(?m)^{key} (\d+)$", self.chat.ask("GET", "/metrics").text)[1])

    def published(self):
        """Returns how many publish requests nchan has accepted since it started, however many channels each has."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.stack.state / "push.sock"))
            connection.sendall(b"GET /status HTTP/1.1\r\nHost: imd\r\nConnection: close\r\n\r\n")
            text = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
        return int(re.search(r"total published messages: (\d+)", text)[1])

    def post(self):
        self.sent += 1
        self.chat.send(self.group, self.members[-1], f"message {self.sent}")
        self.chat.settle()

    def copies_avoided_by_a_post(self):
        avoided = self.metric("imd_copies_avoided_total")
        self.post()
        return self.metric("imd_copies_avoided_total") - avoided

    def wait_for_silence(self, users):
        wait_until(lambda: self.copies_avoided_by_a_post() == users, SILENT_S, f"{users} users are silent")


@pytest.fixture(scope="module")
def scene():
    # The user that imd becomes cannot enter pytest's directories.
    with tempfile.TemporaryDirectory(prefix="imd-test-") as directory:
        settings = Path(directory) / "imd.conf"
        settings.write_text("silence = on\n")
        settings.parent.chmod(0o755)
        # Two workers of nginx: only one of them has a channel.
        with Stack(nginx_workers=2, imd_flags=[f"--config={settings}"]) as stack, Audience() as audience:
            yield Scene(stack, settings, audience)


def set_silence(scene, value):
    before = scene.stack.log().count("event=reloaded")
    scene.settings.write_text(f"silence = {value}\n")
    os.kill(scene.stack.master_pid, signal.SIGHUP)
    wait_until(lambda: scene.stack.log().count("event=reloaded") > before, 30, "the settings are read")


def test_only_listeners_get_a_copy(scene):
    assert scene.copies_avoided_by_a_post() == 0
    scene.wait_for_silence(MEMBERS - 1)
    assert scene.metric("imd_silent_names") == MEMBERS - 1
    heard = scene.first.wait_for(scene.group["id"], scene.sent)
    assert [event["message"]["content"] for event in heard] == [f"message {n + 1}" for n in range(scene.sent)]


def test_new_sockets_receive_the_next_message(scene):
    scene.wait_for_silence(MEMBERS - 1)
    with Audience() as audience:
        new = [audience.listen(scene.stack, scene.members[n + 1], kind) for n, kind in enumerate(sorted(Audience.KINDS))]
        assert scene.copies_avoided_by_a_post() == MEMBERS - 1 - len(new)
        for listener in new:
            [event] = listener.wait_for(scene.group["id"], 1)
            assert event["message"]["content"] == f"message {scene.sent}"


def test_users_who_catch_up_count_as_listeners(scene):
    scene.wait_for_silence(MEMBERS - 1)
    paths = ["/conversations/?username={}", "/conversations/{id}/changes?after=0&username={}"]
    for n, path in enumerate(paths):
        target = path.format(scene.members[n + 3], id=scene.group["id"])
        assert scene.chat.ask("GET", target).status_code == 200
    assert scene.copies_avoided_by_a_post() == MEMBERS - 1 - len(paths)


def test_a_post_without_listeners_is_not_published(scene):
    scene.wait_for_silence(MEMBERS - 1)
    pair = scene.chat.group(*scene.members[5:7])
    scene.chat.settle()
    before = scene.published()
    scene.chat.send(pair, scene.members[5], "unheard")
    scene.chat.settle()
    assert scene.published() == before
    scene.post()
    assert scene.published() == before + 1


def test_a_restarted_relay_publishes_to_all(scene):
    scene.wait_for_silence(MEMBERS - 1)
    relay = scene.stack.relay()
    os.kill(relay, signal.SIGKILL)
    wait_until(lambda: scene.metric("imd_silent_names") == 0, 15, "a new relay")
    wait_until(lambda: scene.metric("imd_push_connected") == 1, 15, "it is connected")
    assert scene.copies_avoided_by_a_post() == 0


def test_a_reload_of_nginx_keeps_silence_and_loses_no_message(scene):
    scene.wait_for_silence(MEMBERS - 1)
    scene.stack.nginx_reload()
    scene.first = scene.audience.listen(scene.stack, scene.members[0])
    scene.post()
    assert scene.first.wait_for(scene.group["id"], 1)[-1]["message"]["content"] == f"message {scene.sent}"


def test_the_setting_turns_silence_off_and_on(scene):
    scene.wait_for_silence(MEMBERS - 1)
    set_silence(scene, "off")
    assert scene.copies_avoided_by_a_post() == 0
    set_silence(scene, "on")
    # While it was off, others may have granted subscriptions.
    assert scene.copies_avoided_by_a_post() == 0
    scene.wait_for_silence(MEMBERS - 1)
