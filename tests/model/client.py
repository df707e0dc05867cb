"""
The reference client: the least that a client must do to miss nothing. It knows its user's name. Everything else that it
holds came by frames, or by the recovery recipe, which is Client._catch_up() and Client._fetch().
"""
import collections
import json
import threading

import contract
from link import Cut
from rest import Rest, Unanswered

RECONNECT_S = 0.03


class AnotherEpoch(Exception):
    """The epoch has changed: this is another database."""


class Conversation:
    """The state that a client holds of one conversation."""

    def __init__(self):
        self.version = 0  # of the last applied change
        self.frozen = False  # the user has left; what they received is kept
        self.type = None
        self.title = None
        self.created_at = None
        self.last_seq = 0
        self.members = set()
        self.messages = {}  # id: message, as the server shows it
        self.read = {}      # name: seq

    def take_object(self, conversation):
        self.type, self.title = conversation["type"], conversation["title"]
        self.created_at = conversation["created_at"]
        self.last_seq = max(self.last_seq, conversation["last_seq"])

    def take_message(self, message):
        self.messages[message["id"]] = message
        self.last_seq = max(self.last_seq, message["seq"])

    def take_marker(self, username, seq):
        """Markers only move forward, so their order does not matter."""
        if seq > self.read.get(username, 0):
            self.read[username] = seq


class Client:
    """
    One window of one user, on a thread of its own. `freezes`: when its user leaves a conversation, it keeps the state,
    and continues from there when they return; otherwise it drops the state. `limit`: of each page that it requests.
    """

    def __init__(self, stack, username, link, freezes=False, limit=100, silence_s=60):
        self.username = username
        self.link = link
        self.silence_s = silence_s
        self.rest = Rest(stack.port)
        self.conversations = {}
        self.lock = threading.RLock()  # held while they change
        self._freezes = freezes
        self._limit = limit
        self._epoch = None
        self._newest = 0  # the largest updated_at of all lists that were handled completely
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        # For observers: runs of the recipe, reasons for other fetches, and recent actions.
        self.recoveries_begun = self.recoveries_done = 0
        self.fetches = collections.Counter()
        self.diary = collections.deque(maxlen=400)
        self.failure = None

    def start(self):
        self._thread.start()

    def stop(self):
        self._ended.set()
        self.link.close()
        self._thread.join()
        self.rest.close()

    def _live(self):
        try:
            while not self._ended.is_set():
                try:
                    self._be_online()
                except (Cut, AnotherEpoch, Unanswered):
                    self._ended.wait(RECONNECT_S)
        except BaseException as failure:
            self.failure = failure
        finally:
            self.link.close()

    def _be_online(self):
        """From now on frames queue in the link. They are applied after the recovery."""
        self.link.open()
        self._came_online()
        while not self._ended.is_set():
            frame = self.link.receive(self.silence_s)
            if frame is None:
                self._was_silent()
            else:
                self._take_frame(frame)

    def _came_online(self):
        self._catch_up()

    def _was_silent(self):
        self._catch_up()

    # -- the recovery recipe

    def _catch_up(self):
        self.recoveries_begun += 1
        newest = self._newest
        for entry in self._list():
            self._take_entry(entry)
            newest = max(newest, entry["updated_at"])
        # Only after all entries are handled: after a failure, the same list is requested again.
        self._newest = newest
        self.recoveries_done += 1

    def _list(self):
        """
        Yields the conversations that were active since the last list, newest first, page by page until one is empty.
        """
        query = {"username": self.username, "updated_after": self._newest, "limit": self._limit}
        while True:
            page = self.rest.get("/conversations/", **query).json
            self._check_epoch(page["epoch"])
            if not page["conversations"]:
                return
            yield from page["conversations"]
            query["updated_before"] = page["conversations"][-1]["updated_at"]

    def _take_entry(self, entry):
        identity = entry["id"]
        if entry.get("left"):
            self._take_leave(identity)
            return
        if entry["version"] > self._version(identity):
            self._fetch(identity)
        with self.lock:
            if identity in self.conversations:
                self.conversations[identity].take_marker(self.username, entry["read_seq"])

    def _fetch(self, identity):
        """Fetches all changes of a conversation since the held version."""
        after, more = self._version(identity), True
        while more:
            answer = self.rest.get(f"/conversations/{identity}/changes", username=self.username, after=after,
                                   limit=self._limit, allowed=(403,))
            if answer.status == 403:
                self._take_leave(identity)
                return
            self._check_epoch(answer.json["epoch"])
            # Before the version moves: after a failure, all of it is requested again.
            if after == 0 and "members" not in answer.json.get("conversation", {}):
                self._list_members(identity)
            after, more = answer.json["version"], answer.json["has_next"]
            self._take_page(identity, answer.json)

    def _list_members(self, identity):
        """
        Reads the members of a large group, because its changes omit the first ones. Members who came or went later are
        in the changes that follow.
        """
        query = {}
        while True:
            answer = self.rest.get(f"/conversations/{identity}/members", limit=1000, allowed=(403,), **query)
            if answer.status == 403:
                return  # the next page of changes says the same
            names = [member["username"] for member in answer.json["members"]]
            with self.lock:
                self.conversations.setdefault(identity, Conversation()).members.update(names)
            if not answer.json["has_next"]:
                return
            query["after"] = names[-1]

    def _take_page(self, identity, page):
        with self.lock:
            self._note(identity, f"changes up to {page['version']}, {len(page['messages'])} messages")
            held = self.conversations.setdefault(identity, Conversation())
            held.frozen = False
            for message in page["messages"]:
                held.take_message(message)
            for member in page["members"]:
                (held.members.discard if member.get("left") else held.members.add)(member["username"])
            for username, seq in page.get("read", {}).items():
                held.take_marker(username, seq)
            if "conversation" in page:
                held.take_object(page["conversation"])
            self._move_version(held, page)

    def _move_version(self, held, page):
        """
        Moves the version with the last page only. A message that was created long ago and changed since comes with its
        last change. If a push of that change came before, it would find nothing to update, and be lost.
        """
        if not page["has_next"]:
            held.version = page["version"]

    def _take_leave(self, identity):
        """The user is no longer a member."""
        with self.lock:
            self._note(identity, "left")
            if not self._freezes:
                self.conversations.pop(identity, None)
            elif identity in self.conversations:
                self.conversations[identity].frozen = True

    def _check_epoch(self, epoch):
        if self._epoch not in (None, epoch):
            self._forget_everything()
            raise AnotherEpoch
        self._epoch = epoch

    def _forget_everything(self):
        with self.lock:
            self.conversations.clear()
            self._newest = 0
            self._epoch = None

    # -- frames

    def _take_frame(self, text):
        contract.check_frame(text)
        frame = json.loads(text)
        self._check_epoch(frame["epoch"])
        for event in frame["events"]:
            self._take_event(event)

    def _take_event(self, event):
        kind, identity = event["event"], event["conversation"]
        if kind == "typing":
            assert event["username"] != self.username, "a typing event about the user themselves"
        elif kind == "read":
            with self.lock:
                if identity in self.conversations:
                    self.conversations[identity].take_marker(event["username"], event["seq"])
        elif self._is_news(identity, event):
            self._take_change(identity, event)
        else:
            self._note(identity, f"{kind} {event['version']}: known")

    def _is_news(self, identity, event):
        return event["version"] > self._version(identity)

    def _take_change(self, identity, event):
        """Handles a change that is not held yet."""
        why = self._why_fetch(self.conversations.get(identity), event)
        if why:
            self._note(identity, f"{event['event']} {event['version']}: {why}")
            self.fetches[why] += 1
            self._fetch(identity)
        else:
            self._apply(identity, event)

    def _why_fetch(self, held, event):
        """Returns why the event cannot simply be applied; None if it can."""
        if held is None or held.version == 0:
            # Even if it is the first of all changes: it may come late, after the user has left.
            return "unknown"
        if event["version"] != held.version + 1:
            return "back again" if held.frozen else "gap"
        # Large events for many members come without their message or object.
        thin = event["event"].startswith(("message.", "conversation.")) and not {"message", "object"} & event.keys()
        return "thin" if thin else None

    def _apply(self, identity, event):
        """Applies the change that follows the held version."""
        kind = event["event"]
        with self.lock:
            held = self.conversations[identity]
            held.version = event["version"]
            self._note(identity, f"{kind} {event['version']}")
            if kind == "message.created":
                held.take_message(event["message"])
            elif kind in ("message.updated", "message.deleted"):
                self._replace_message(held, event["message"])
            elif kind == "conversation.updated":
                held.take_object(event["object"])
                held.members = set(event["object"].get("members", held.members))
            elif kind == "member.joined":
                held.members.add(event["username"])
                held.frozen = held.frozen and event["username"] != self.username
            elif kind == "member.left" and event["username"] == self.username:
                self._take_leave(identity)
            elif kind == "member.left":
                held.members.discard(event["username"])
            elif kind != "member.updated":  # not held: the changes show roles
                raise AssertionError(f"an unknown event: {event}")

    def _replace_message(self, held, message):
        """Replaces a message. If it is not held, this user did not receive it, and only the version counts."""
        if message["id"] in held.messages:
            held.take_message(message)

    # -- for observers

    def _version(self, identity):
        held = self.conversations.get(identity)
        return held.version if held else 0

    def asked(self):
        """Returns how often the recipe ran, and how often an event was missing although nothing was missing before."""
        return {"recoveries": self.recoveries_begun, "gaps": self.fetches["gap"]}

    def _note(self, identity, what):
        self.diary.append((identity, what))

    def present(self):
        """Returns {id: conversation} of the conversations that the user is a member of, as far as this client knows."""
        with self.lock:
            return {identity: held for identity, held in self.conversations.items() if not held.frozen}
