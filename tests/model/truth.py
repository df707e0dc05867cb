"""
The content of the database, read from its tables alone, slowly and plainly: which user received what, and what they
must see.
"""
import collections

MEMBERS_FEW = 100  # larger conversations do not show read markers of others
UNREAD_MAX = 1000
NAMES_SHOWN = 100
EMOJIS_MAX = 32


class Truth:
    """One snapshot."""

    def __init__(self, database):
        self._database = database
        with database.reading() as rows:
            self._read(rows)

    def _read(self, rows):
        (self.instance,) = rows("SELECT * FROM instance")
        self.conversations = {row["id"]: row for row in rows("SELECT * FROM conversation")}
        self.stays = collections.defaultdict(lambda: collections.defaultdict(list))  # by conversation and name
        for row in rows("SELECT m.*, a.name AS username FROM membership m JOIN account a ON a.id = m.account"
                        " ORDER BY conversation, a.name, joined_version"):
            self.stays[row["conversation"]][row["username"]].append(row)
        self.counts = {}  # by place and emoji
        self.reactions = collections.defaultdict(lambda: collections.defaultdict(list))  # by place and emoji
        for row in rows("SELECT place, emoji, name AS username, count FROM reaction_set s"
                        " JOIN reaction r ON r.set_id = s.id JOIN account a ON a.id = r.account"
                        " WHERE place IS NOT NULL ORDER BY place, emoji, name"):
            self.reactions[row["place"]][row["emoji"]].append(row["username"])
            self.counts[row["place"], row["emoji"]] = row["count"]
        self.messages = collections.defaultdict(list)  # by conversation, in the order of seq
        for row in rows("SELECT m.*, place >> 32 AS conversation, place & 4294967295 AS seq, a.name AS sender"
                        " FROM message m JOIN account a ON a.id = m.sender ORDER BY place"):
            self.messages[row["conversation"]].append(row)
        self.markers = collections.defaultdict(dict)  # by conversation and name
        for row in rows("SELECT r.*, name AS username FROM read_marker r JOIN account a ON a.id = r.account"):
            self.markers[row["conversation"]][row["username"]] = row

    # -- members, and what they received

    def times(self):
        """Returns the times of changes other than messages."""
        stays = [stay for stays in self.stays.values() for one in stays.values() for stay in one]
        markers = [marker for markers in self.markers.values() for marker in markers.values()]
        return sorted({row["updated_at"] for row in self.conversations.values()}
                      | {stay["left_at"] for stay in stays if stay["left_at"] is not None}
                      | {marker["moved_at"] for marker in markers})

    def members(self, conversation):
        return sorted(username for username, stays in self.stays[conversation].items()
                      if stays[-1]["left_seq"] is None)

    def is_member(self, username, conversation):
        stays = self.stays[conversation].get(username)
        return bool(stays) and stays[-1]["left_seq"] is None

    def present(self, username):
        """Returns the conversations that a user is a member of."""
        return [conversation for conversation in self.conversations if self.is_member(username, conversation)]

    def received(self, username, conversation):
        """Returns the messages sent there during a stay of the user."""
        stays = self.stays[conversation].get(username, [])
        return [row for row in self.messages[conversation]
                if any(stay["joined_seq"] < row["seq"] and (stay["left_seq"] is None or row["seq"] <= stay["left_seq"])
                       for stay in stays)]

    # -- as the server shows it

    def message(self, row, username=None):
        """Returns the message as the user sees it: former members see no later edit and no later reaction."""
        last = self.stays[row["conversation"]][username][-1] if username else {"left_at": None}
        if last["left_at"] is not None:
            return self._before(row, last)
        return self._now(row)

    def _before(self, row, stay):
        shown = self._now(row)
        if (row["changed_version"] or 0) > stay["left_version"]:
            shown.pop("reactions", None)
        if row["edited_at"] is not None and row["edited_at"] >= stay["left_at"]:
            shown |= {"content": "", "withheld": True}
            del shown["edited_at"]
        return shown

    def _now(self, row):
        always = ("id", "conversation", "seq", "sender", "content", "timestamp")
        where_they_apply = ("client_id", "reply_to", "edited_at", "deleted_at")
        shown = {name: row[name] for name in always}
        shown |= {name: row[name] for name in where_they_apply if row[name] is not None}
        if row["place"] in self.reactions:
            shown["reactions"] = {emoji: {"count": len(names), "names": names[:NAMES_SHOWN]}
                                  for emoji, names in self.reactions[row["place"]].items()}
        return shown

    def roles(self, conversation):
        """Returns the present members as the server lists them."""
        return [{"username": name, "role": self.stays[conversation][name][-1]["role"]}
                for name in sorted(self.members(conversation))]

    def conversation(self, conversation):
        row, names = self.conversations[conversation], self.members(conversation)
        shown = {name: row[name] for name in ("id", "type", "title", "created_at", "updated_at", "last_seq", "version")}
        if row["type"] == "group_chat":
            shown["join"] = "invite" if row["invite_only"] else "open"
        return shown | {"member_count": len(names)} | ({"members": names} if self.is_small(conversation) else {})

    def entry(self, username, conversation):
        """Returns a conversation as an entry of the user's list."""
        received = self.received(username, conversation)
        marker = self.markers[conversation].get(username, {"seq": 0})["seq"]
        unread = [row for row in received
                  if row["seq"] > marker and row["sender"] != username and row["deleted_at"] is None]
        return self.conversation(conversation) | {
            "role": self.stays[conversation][username][-1]["role"],
            "read_seq": marker,
            "unread": min(len(unread), UNREAD_MAX),
            "last_message": self.message(received[-1]) if received else None,
        }

    def is_small(self, conversation):
        return len(self.members(conversation)) <= MEMBERS_FEW

    def read(self, conversation):
        """Returns the read markers of the members."""
        return {username: marker["seq"] for username, marker in self.markers[conversation].items()
                if self.is_member(username, conversation)}

    # -- consistency

    def assert_sound(self):
        self._database.assert_whole()
        for conversation in self.conversations:
            try:
                self._assert_counted(conversation)
                self._assert_versions(conversation)
                self._assert_stays(conversation)
                self._assert_messages(conversation)
            except AssertionError as failure:
                raise AssertionError(f"the database, conversation {conversation}: {failure}") from None

    def _assert_counted(self, conversation):
        row, messages = self.conversations[conversation], self.messages[conversation]
        assert [message["seq"] for message in messages] == list(range(1, row["last_seq"] + 1)), "seq has gaps"
        assert row["member_count"] == len(self.members(conversation)), "member_count is wrong"
        assert all(marker["seq"] <= row["last_seq"] for marker in self.markers[conversation].values())
        assert all(row["created_at"] <= time <= row["updated_at"] <= self.instance["tick"]
                   for time in [row["updated_at"], *(message["timestamp"] for message in messages)])

    def _assert_versions(self, conversation):
        """Asserts that all changes in the rows have different versions, none beyond the last."""
        versions = [1]  # the creation
        for message in self.messages[conversation]:
            versions += [message["created_version"], message["changed_version"]]
        for stay in self._all_stays(conversation):
            versions += [stay["joined_version"] if stay["joined_version"] > 1 else None, stay["left_version"]]
            if stay["version"] not in (stay["joined_version"], stay["left_version"]):
                versions.append(stay["version"])  # a role that the member was given
        versions = sorted(version for version in versions if version is not None)
        assert len(set(versions)) == len(versions), f"two changes share a version: {versions}"
        assert versions[-1] <= self.conversations[conversation]["version"], f"a version beyond the last: {versions[-1]}"
        created = [message["created_version"] for message in self.messages[conversation]]
        assert created == sorted(created), "created_version does not rise with seq"
        assert all(message["changed_version"] is None or message["changed_version"] > message["created_version"]
                   for message in self.messages[conversation]), "changed before it was created"

    def _assert_stays(self, conversation):
        for username, stays in self.stays[conversation].items():
            for stay in stays:
                ended = [stay[name] is not None for name in ("left_version", "left_seq", "left_at")]
                assert ended in ([True] * 3, [False] * 3), f"an incomplete leave: {stay}"
                assert not ended[0] or (stay["joined_version"] < stay["left_version"]
                                        and stay["joined_seq"] <= stay["left_seq"]), f"left before joining: {stay}"
            for stay, later in zip(stays, stays[1:]):
                assert stay["left_version"] is not None and stay["left_version"] < later["joined_version"] \
                    and stay["left_seq"] <= later["joined_seq"], f"{username} has overlapping stays: {stay}, {later}"
            told = [stay["version"] for stay in stays]
            last = stays[-1]["left_version"] or stays[-1]["joined_version"]
            assert told[:-1] == [None] * (len(stays) - 1), f"{username}'s standing has the versions {told}"
            # A later role is also a change of the standing.
            assert told[-1] == last or (told[-1] > last and stays[-1]["left_version"] is None), \
                f"{username}'s standing has the version {told[-1]}, not {last}"
        owners = [username for username, stays in self.stays[conversation].items()
                  if stays[-1]["left_version"] is None and stays[-1]["role"] == "owner"]
        assert len(owners) <= 1, f"owned by {owners}"

    def _assert_messages(self, conversation):
        messages = self.messages[conversation]
        identities = {message["id"] for message in messages}
        for one, other in zip(messages, messages[1:]):
            assert one["id"] < other["id"] and one["timestamp"] <= other["timestamp"], f"out of order: {one}, {other}"
        for message in messages:
            emojis = self.reactions.get(message["place"], {})
            for emoji, names in emojis.items():
                assert self.counts[message["place"], emoji] == len(names), f"miscounted {emoji}: {message}"
            assert message["emoji_count"] == len(emojis) <= EMOJIS_MAX, f"miscounted emojis: {message}"
            assert message["reply_to"] in identities | {None}, f"a reply to another conversation: {message}"
            assert message["deleted_at"] is None or (message["content"] == "" and message["edited_at"] is None
                                                     and not emojis), f"not wholly deleted: {message}"
            assert message["sender"] in self.stays[conversation], f"sent by a user who never was a member: {message}"
            assert message["seq"] in {row["seq"] for row in self.received(message["sender"], conversation)}, \
                f"sent by a user who was not a member: {message}"

    def _all_stays(self, conversation):
        return [stay for stays in self.stays[conversation].values() for stay in stays]


# -- comparing a client

# Whose read markers a client must know at this moment. Its user's own come with the list. Others
# come with changes of a small conversation, or when they move. Known markers may be behind, but
# never ahead.
OWN = "their own"
SMALL = "those of all members of small conversations"


def differences(truth, client, owed_markers=(OWN, SMALL)):
    """Returns how the client's state differs from what its user must see, as sentences."""
    held = client.present()
    present = set(truth.present(client.username))
    found = [f"conversation {conversation} is missing" for conversation in sorted(present - set(held))]
    found += [f"conversation {conversation} is held, though they are no member" for conversation in
              sorted(set(held) - present)]
    for conversation in sorted(present & set(held)):
        found += [f"conversation {conversation}: {what}"
                  for what in _conversation_differences(truth, client, conversation, held[conversation], owed_markers)]
    found += _not_received(truth, client)
    return found


def _conversation_differences(truth, client, conversation, held, owed_markers):
    row = truth.conversations[conversation]
    found = [f"{name} is {getattr(held, name)!r}, not {row[name]!r}"
             for name in ("version", "type", "title", "created_at", "last_seq") if getattr(held, name) != row[name]]
    members = set(truth.members(conversation))
    if held.members != members:
        found.append(f"members: lacks {sorted(members - held.members)}, has {sorted(held.members - members)} too many")
    found += _message_differences(truth, client, conversation, held)
    for username, seq in truth.read(conversation).items():
        known = held.read.get(username, 0)
        owed = (OWN in owed_markers and username == client.username
                or SMALL in owed_markers and truth.is_small(conversation))
        if known > seq or (owed and known != seq):
            found.append(f"the read marker of {username} is at {known}, not at {seq}")
    return found


def _message_differences(truth, client, conversation, held):
    expected = {row["id"]: truth.message(row) for row in truth.received(client.username, conversation)}
    for identity in sorted(expected.keys() - held.messages.keys()):
        yield f"message {identity} (seq {expected[identity]['seq']}) is missing"
    for identity in sorted(expected.keys() & held.messages.keys()):
        if _ordered(held.messages[identity]) != _ordered(expected[identity]):
            yield f"message {identity} is {held.messages[identity]}, not {expected[identity]}"


def _ordered(message):
    """Returns the message with its reactions in order, without `mine`."""
    return {**message, "reactions": [(emoji, shown["count"], shown["names"])
                                     for emoji, shown in message.get("reactions", {}).items()]}


def _not_received(truth, client):
    """
    Yields messages that the client holds but its user did not receive, also of conversations that the user has left.
    """
    with client.lock:
        everything = {identity: dict(held.messages) for identity, held in client.conversations.items()}
    for conversation, messages in everything.items():
        strange = messages.keys() - {row["id"] for row in truth.received(client.username, conversation)}
        for identity in sorted(strange):
            yield f"conversation {conversation}: message {identity} is held, though they did not receive it"
