"""
Simulated users. Each decides by its own random generator what to do, and with which dice. The dice choose among the
objects that the user's own client holds at that moment.
"""
import collections
import random
from urllib.parse import quote

WEIGHTS = {"send": 38, "repeat": 3, "edit": 10, "delete": 4, "react": 14, "unreact": 6, "create_group": 2,
           "create_private": 2, "join": 7, "leave": 4, "rename": 4, "add": 4, "remove": 2, "give_role": 3, "close": 1,
           "read": 12, "type": 4}
# More than the maximum of one message.
EMOJIS = [chr(0x1F600 + number) for number in range(38)] + ["👩‍👩‍👧‍👦", "+1"]
# Longer than what is pushed with the event to many members.
LARGE_BYTES = 60000

Decision = collections.namedtuple("Decision", "number kind dice")
Sent = collections.namedtuple("Sent", "body headers answer")


def decisions(seed, name):
    """
    Yields a user's decisions, without end. Each decision has dice of its own, so the next decision does not depend on
    how often they are thrown.
    """
    chance = random.Random(f"{seed} user {name}")
    number = 0
    while True:
        number += 1
        kind, = chance.choices(list(WEIGHTS), WEIGHTS.values())
        yield Decision(number, kind, random.Random(chance.getrandbits(64)))


def pick(dice, entries, bias=1):
    """Returns one of the entries. The larger the bias, the more often one of the first."""
    return entries[int(len(entries) * dice.random() ** bias)]


class User:
    """`board`: the shared ids of groups that everybody may join, because a client knows only its own groups."""

    def __init__(self, seed, client, rest, others, board):
        self.name = client.username
        self.rest = rest
        self._client = client
        self._others = others
        self._board = board
        self._decisions = decisions(seed, self.name)
        self._sent = []  # sent messages that were answered

    def act(self):
        decision = next(self._decisions)
        getattr(self, f"_{decision.kind}")(decision)

    # -- choosing an object

    def _conversation(self, dice):
        """Mostly one of the oldest, so that some conversations are busy and others are not."""
        present = sorted(self._client.present())
        return pick(dice, present, 3) if present else None

    def _message_of(self, conversation, dice, wanted=lambda message: True):
        """Mostly one of the latest."""
        held = self._client.present().get(conversation)
        if held is None:
            return None
        with self._client.lock:
            found = sorted((each for each in held.messages.values() if wanted(each)), key=lambda each: -each["seq"])
        return pick(dice, found, 3) if found else None

    def _message(self, dice, wanted=lambda message: True):
        return self._message_of(self._conversation(dice), dice, wanted)

    def _own_message(self, dice):
        return self._message(dice, lambda message: message["sender"] == self.name)

    def _oldest_message(self):
        with self._client.lock:
            messages = [each for held in self._client.present().values() for each in held.messages.values()]
        return min(messages, key=lambda message: message["id"], default=None)

    # -- messages

    def _send(self, decision):
        dice, key = decision.dice, f"{self.name} {decision.number}"
        conversation = self._conversation(dice)
        if conversation is None:
            return
        body = {"conversation_id": conversation, "username": self.name, "content": f"{key}: {dice.random()}"}
        if dice.random() < 0.02:
            body["content"] += "x" * LARGE_BYTES
        answered = self._message_of(conversation, dice)
        if answered and dice.random() < 0.3:
            body["reply_to"] = answered["id"]
        if dice.random() < 0.5:
            self._deliver(body, {"Idempotency-Key": key})
        else:
            self._deliver({**body, "client_id": key})

    def _deliver(self, body, headers=()):
        answer = self.rest.ask("POST", "/messages/", body, headers, allowed=(403,))
        if answer.status == 200:
            self._sent.append(Sent(body, headers, answer.json))

    def _repeat(self, decision):
        if self._sent:
            before = pick(decision.dice, self._sent)
            answer = self.rest.ask("POST", "/messages/", before.body, before.headers)
            assert answer.headers["Idempotent-Replayed"] == "true", answer
            assert_the_same(before.answer, answer.json)

    def _edit(self, decision):
        message = self._own_message(decision.dice)
        if message:
            body = {"username": self.name, "content": f"{decision.number}: {decision.dice.random()}"}
            self.rest.ask("PATCH", f"/messages/{message['id']}", body, allowed=(403, 409))

    def _delete(self, decision):
        message = self._own_message(decision.dice)
        if message:
            self.rest.ask("DELETE", f"/messages/{message['id']}", username=self.name)

    def _react(self, decision):
        """Often to the oldest message, so that it gets the maximum of emojis."""
        dice = decision.dice
        if dice.random() < 0.3:
            message, emoji = self._oldest_message(), pick(dice, EMOJIS)
        else:
            message, emoji = self._message(dice), pick(dice, EMOJIS, 2)
        if message:
            self.rest.ask("PUT", f"/messages/{message['id']}/reactions/{quote(emoji, safe='')}",
                          allowed=(403, 409, 422), username=self.name)

    def _unreact(self, decision):
        def mine(message):
            return [emoji for emoji, shown in message.get("reactions", {}).items() if self.name in shown["names"]]

        message = self._message(decision.dice, mine)
        if message:
            emoji = quote(pick(decision.dice, mine(message)), safe="")
            self.rest.ask("DELETE", f"/messages/{message['id']}/reactions/{emoji}", allowed=(403,), username=self.name)

    # -- conversations

    def _create_group(self, decision):
        members = [self.name, *decision.dice.sample(self._others, decision.dice.randrange(1, 6))]
        # A repeat of the request makes two groups, which does no harm.
        body = {"type": "group_chat", "members": members}
        if decision.dice.random() < 0.7:
            body["username"] = self.name
        answer = self.rest.ask("POST", "/conversations/", body)
        self._board.append(answer.json["id"])

    def _create_private(self, decision):
        members = [self.name, pick(decision.dice, self._others)]
        self.rest.ask("POST", "/conversations/", {"type": "private_chat", "members": members})

    def _join(self, decision):
        group = pick(decision.dice, list(self._board), 2)
        self.rest.ask("POST", f"/conversations/{group}/join", {"username": self.name}, allowed=(403,))

    def _leave(self, decision):
        group = pick(decision.dice, list(self._board), 2)
        self.rest.ask("POST", f"/conversations/{group}/leave", {"username": self.name})

    def _rename(self, decision):
        conversation = self._conversation(decision.dice)
        if conversation:
            body = {"username": self.name, "title": pick(decision.dice, ["", "Tea", f"{self.name} {decision.number}"])}
            self.rest.ask("PATCH", f"/conversations/{conversation}", body, allowed=(403,))

    def _member_of_group(self, decision):
        """Returns the path of a user's membership in a group, whether they are a member or not."""
        group = pick(decision.dice, list(self._board), 2)
        return f"/conversations/{group}/members/{pick(decision.dice, self._others)}"

    def _add(self, decision):
        self.rest.ask("PUT", self._member_of_group(decision), {"username": self.name}, allowed=(403,))

    def _remove(self, decision):
        self.rest.ask("DELETE", self._member_of_group(decision), username=self.name, allowed=(403,))

    def _give_role(self, decision):
        role = pick(decision.dice, ["admin", "member", "owner"], 2)
        self.rest.ask("PUT", self._member_of_group(decision), {"username": self.name, "role": role},
                      allowed=(403, 409))

    def _close(self, decision):
        """Closes the group, or opens it again."""
        group = pick(decision.dice, list(self._board), 2)
        body = {"username": self.name, "join": pick(decision.dice, ["invite", "open"])}
        self.rest.ask("PATCH", f"/conversations/{group}", body, allowed=(403,))

    def _read(self, decision):
        conversation = self._conversation(decision.dice)
        if conversation:
            # Sometimes a little beyond the end.
            seq = int((self._client.present()[conversation].last_seq + 2) * decision.dice.random() ** 0.3)
            self.rest.ask("PUT", f"/conversations/{conversation}/read", {"username": self.name, "seq": seq},
                          allowed=(403,))

    def _type(self, decision):
        conversation = self._conversation(decision.dice)
        if conversation:
            self.rest.ask("POST", f"/conversations/{conversation}/typing", {"username": self.name}, allowed=(403,))

    # -- on request

    def say(self, conversation):
        """Sends a new message, so that there is something to read."""
        key = f"{self.name} {next(self._decisions).number}"
        self._deliver({"conversation_id": conversation, "username": self.name, "content": key, "client_id": key})

    def read_to(self, conversation, seq):
        self.rest.ask("PUT", f"/conversations/{conversation}/read", {"username": self.name, "seq": seq})

    # -- afterwards

    def assert_sent_once(self, truth):
        """Asserts that each answered message is stored once, as answered, and that no other message is stored."""
        stored = {row["client_id"]: truth.message(row) for messages in truth.messages.values() for row in messages
                  if row["sender"] == self.name}
        count = sum(row["sender"] == self.name for messages in truth.messages.values() for row in messages)
        assert len(stored) == count, f"{self.name}: a message is there twice"
        answered = {sent.answer["client_id"]: sent.answer for sent in self._sent}
        assert stored.keys() == answered.keys(), \
            f"{self.name}: lost {answered.keys() - stored.keys()}, too many {stored.keys() - answered.keys()}"
        for key, answer in answered.items():
            assert_the_same(answer, stored[key])


def assert_the_same(answer, message):
    """Asserts that the constant members of a message are equal."""
    for name in ("id", "conversation", "seq", "sender", "timestamp", "client_id", "reply_to"):
        assert answer.get(name) == message.get(name), f"{name} of {message} was answered as {answer.get(name)}"
