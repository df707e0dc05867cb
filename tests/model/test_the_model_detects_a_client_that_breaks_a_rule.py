"""
Proves that the model test can fail. For each rule of clients there is a scene: a client that breaks the rule ends with
another state than the database, and a client that keeps it does not.
"""
import math
import sqlite3
from contextlib import closing
from itertools import chain, repeat

import pytest

import database
from api import Client as Api, new_name
from client import Client, Conversation
from link import AT_ONCE, LOST, RELEASED, Link
from rest import Unanswered
from stack import Stack, wait_until
from truth import Truth, differences

WAIT_S = 15
NOW_AND_AGAIN = (0, math.inf)


class Scene:
    """Alice, whose client is checked; bob, who writes; and a link that loses and delays frames as the scene says."""

    def __init__(self, stack, kind, **options):
        self.stack = stack
        self.alice, self.bob = new_name("alice"), new_name("bob")
        self.link = Link(f"{stack.ws_url}/ws/?username={self.alice}")
        self.client = kind(stack, self.alice, self.link, **options)
        self.api = Api(stack)

    def begin(self, *members):
        """Creates bob's group with these members. Brings alice's client online after all earlier changes are pushed."""
        self.group = self.api.group(self.bob, *members)
        wait_until(lambda: self.api.get("/healthz").ok["outbox_pending"] == 0, WAIT_S, "all changes are pushed")
        self.client.start()
        wait_until(lambda: self.link.drained, WAIT_S, "alice is online")

    def hears(self, action, *args, fate=AT_ONCE, frames=1):
        """
        Makes a change of `frames` frames, the first of which gets this fate. Returns its result once alice's client has
        processed them.
        """
        fates = chain([fate], repeat(AT_ONCE))
        self.link.fate = lambda: next(fates)
        expected = self.link.seen + frames
        result = action(*args)
        wait_until(lambda: self.link.seen >= expected and self.link.drained, WAIT_S, f"{frames} frames")
        assert self.link.seen == expected
        return result

    def misses(self, action, *args):
        return self.hears(action, *args, fate=LOST)

    def says(self, content="hello"):
        return self.api.send(self.group, self.bob, content)["id"]

    def hears_what_was_kept(self):
        self.link.release()
        wait_until(lambda: self.link.drained, WAIT_S, "what was kept")

    def reconnects(self):
        opened = self.link.opened
        self.link.cut()
        wait_until(lambda: self.link.opened > opened and self.link.drained, WAIT_S, "alice is online again")

    def differences(self):
        assert self.client.failure is None
        return differences(Truth(self.stack.database), self.client)

    def end(self):
        self.client.stop()


# -- the scenes

def a_frame_is_lost(scene):
    scene.begin(scene.alice)
    scene.misses(scene.says)
    scene.hears(scene.says)


def frames_come_in_another_order(scene):
    scene.begin(scene.alice)
    message = scene.hears(scene.says, fate=RELEASED)
    scene.hears(scene.api.edit, message, scene.bob, "edited")
    scene.hears_what_was_kept()


def what_was_said_before_she_came_is_edited(scene):
    scene.begin()
    message = scene.says()
    scene.hears(scene.api.private, scene.alice, scene.bob)  # creates the user alice
    scene.hears(scene.api.join, scene.group, scene.alice)
    scene.hears(scene.api.edit, message, scene.bob, "edited")


def a_socket_breaks(scene):
    scene.begin(scene.alice)
    scene.misses(scene.says)
    scene.reconnects()


def a_request_is_not_answered(scene):
    scene.begin(scene.alice)
    scene.misses(scene.says)
    rest, get = scene.client.rest, scene.client.rest.get

    def get_nothing_once(path, **query):
        if path.endswith("/changes"):
            rest.get = get
            raise Unanswered
        return get(path, **query)

    rest.get = get_nothing_once
    scene.reconnects()


def a_network_swallows_everything(scene):
    scene.begin(scene.alice)
    scene.misses(scene.says)
    before = scene.client.recoveries_done
    scene.client.silence_s = 0.05
    scene.hears(scene.api.private, scene.alice, scene.bob)
    wait_until(lambda: scene.client.recoveries_done > before, WAIT_S, "a silence")


def she_leaves_unheard(scene):
    scene.begin(scene.alice)
    scene.misses(scene.api.leave, scene.group, scene.alice)
    scene.reconnects()


def a_creation_comes_again_after_she_left(scene):
    scene.begin()
    group = scene.hears(scene.api.group, scene.bob, scene.alice, fate=NOW_AND_AGAIN)
    scene.hears(scene.api.leave, group, scene.alice)
    scene.hears_what_was_kept()


def she_leaves_between_two_pages(scene):
    """The second message is on the first page. The first message has changed, so it would be on the next page."""
    scene.begin(scene.alice)
    first = scene.misses(scene.says)
    scene.misses(scene.says)
    rest, get = scene.client.rest, scene.client.rest.get

    def get_and_leave(path, **query):
        answer = get(path, **query)
        if path.endswith("/changes"):
            rest.get = get
            # On alice's thread: scene.api may still be at bob's request.
            with Api(scene.stack) as own:
                own.leave(scene.group, scene.alice)
        return answer

    rest.get = get_and_leave
    scene.hears(scene.api.react, first, scene.bob, "+1", fate=NOW_AND_AGAIN, frames=2)
    scene.hears_what_was_kept()
    scene.hears(scene.api.join, scene.group, scene.alice)


def a_large_message_is_sent_to_many(scene):
    scene.begin(scene.alice, *(new_name("crowd") for _ in range(320)))
    scene.hears(scene.says, "x" * 60000)


def a_backup_is_restored(scene):
    """After the restore, the same versions belong to other changes."""
    scene.begin(scene.alice)
    backup = scene.stack.state / "backup.db"
    with closing(sqlite3.connect(scene.stack.db)) as source, closing(sqlite3.connect(backup)) as copy:
        source.backup(copy)
    scene.hears(scene.says, "before")
    opened = scene.link.opened
    scene.stack.stop()
    backup.rename(scene.stack.db)
    scene.stack.start()
    wait_until(lambda: scene.link.opened > opened and scene.link.drained, WAIT_S, "alice is online again")
    scene.api = Api(scene.stack)
    scene.hears(scene.says, "after")


# -- clients that break a rule

class IgnoresGaps(Client):
    def _why_fetch(self, held, event):
        why = super()._why_fetch(held, event)
        return None if why == "gap" else why


class BelievesOldFrames(Client):
    def _is_news(self, identity, event):
        return True

    def _why_fetch(self, held, event):
        return None if held else "unknown"


class TakesWhatItDidNotReceive(Client):
    def _replace_message(self, held, message):
        held.take_message(message)


class TrustsANewSocket(Client):
    def _came_online(self):
        if self.link.opened == 1:
            super()._came_online()


class BelievesTheListAlone(Client):
    def _take_entry(self, entry):
        self._newest = max(self._newest, entry["updated_at"])
        super()._take_entry(entry)


class TrustsSilence(Client):
    def _was_silent(self):
        self.recoveries_done += 1


class KeepsWhatItLeft(Client):
    def _take_leave(self, identity):
        pass


class BuildsOnTheFirstFrame(Client):
    def _why_fetch(self, held, event):
        return None if held is None and event["version"] == 1 else super()._why_fetch(held, event)

    def _apply(self, identity, event):
        with self.lock:
            held = self.conversations.setdefault(identity, Conversation())
        if event["event"] == "conversation.created":
            event = {**event, "event": "conversation.updated"}
        super()._apply(identity, event)
        assert held.version == event["version"]


class MovesOnWithEachPage(Client):
    def _move_version(self, held, page):
        held.version = page["version"]


class TakesAThinEventForWhole(Client):
    def _why_fetch(self, held, event):
        why = super()._why_fetch(held, event)
        if why == "thin":
            event["event"] = "member.joined"
            event["username"] = self.username
        return None if why == "thin" else why


class IgnoresTheEpoch(Client):
    def _check_epoch(self, epoch):
        pass


CASES = [
    (a_frame_is_lost, IgnoresGaps, {}, "is missing"),
    (frames_come_in_another_order, BelievesOldFrames, {}, "version is 2, not 3"),
    (what_was_said_before_she_came_is_edited, TakesWhatItDidNotReceive, {}, "they did not receive it"),
    (a_socket_breaks, TrustsANewSocket, {}, "is missing"),
    (a_request_is_not_answered, BelievesTheListAlone, {}, "is missing"),
    (a_network_swallows_everything, TrustsSilence, {}, "is missing"),
    (she_leaves_unheard, KeepsWhatItLeft, {}, "they are no member"),
    (a_creation_comes_again_after_she_left, BuildsOnTheFirstFrame, {}, "they are no member"),
    (she_leaves_between_two_pages, MovesOnWithEachPage, {"freezes": True, "limit": 1}, "is missing"),
    (a_large_message_is_sent_to_many, TakesAThinEventForWhole, {}, "is missing"),
    (a_backup_is_restored, IgnoresTheEpoch, {}, "'content': 'before'"),
]


def name(value):
    return getattr(value, "__name__", "_")


@pytest.fixture(scope="module")
def stack():
    with Stack(imd_flags=["--threads=8"]) as shared:
        yield shared


@pytest.fixture
def play(stack):
    """Plays a scene and returns how alice's client differs from the database."""
    scenes = []

    def play(scene, kind, **options):
        scenes.append(Scene(stack, kind, **options))
        scene(scenes[-1])
        return scenes[-1].differences()

    yield play
    for scene in scenes:
        scene.end()


@pytest.fixture(autouse=True)
def restores_only_sqlite(request):
    if database.on_postgresql() and request.node.callspec.params["scene"] is a_backup_is_restored:
        pytest.skip("about SQLite: a backup of PostgreSQL is not a file")


@pytest.mark.parametrize("scene, breaker, options, noticed", CASES, ids=name)
def test_a_client_that_breaks_a_rule_differs_from_the_database(play, scene, breaker, options, noticed):
    assert noticed in "\n".join(play(scene, breaker, **options))


@pytest.mark.parametrize("freezes", [False, True], ids=["drops", "freezes"])
@pytest.mark.parametrize("scene", [scene for scene, *_ in CASES], ids=name)
def test_a_client_that_keeps_the_rules_agrees_with_the_database(play, scene, freezes):
    assert play(scene, Client, freezes=freezes, limit=1) == []
