"""
The users and conversations that one cell of the table needs. Each cell has a scene of its own, which creates only what
the cell uses.
"""
from functools import cached_property

from api import new_name
from sites import ROOT_USER

CAST = ("self", "member", "left", "removed", "other", "new")
# The last seq that a conversation can have; never reached.
UNKNOWN_ID = 2 ** 31 - 1


class Scene:
    """
    `self` created the group and sent its message. `member` is another member. `left` and `removed` were members and
    received the message too. `other` never was one. `new` is unknown. Commands affect `target`, one more member, and
    `newcomer`, one more stranger. `unnamed` is a name that no request has contained before.
    """

    def __init__(self, site, who):
        self._site, self._api = site, site.setter
        self._names = {name: new_name(name) for name in CAST}
        self._names["admin"] = ROOT_USER if site.verifies else new_name("admin")
        self._names["target"], self._names["newcomer"] = new_name("target"), new_name("newcomer")
        self._names["unnamed"] = new_name("unnamed")
        known = [name for role, name in self._names.items() if role not in ("new", "unnamed")]
        self._api.create("group_chat", *known)
        self._who = who
        self._sent = {}  # # {conversation: {sender: message}}
        self.unknown = UNKNOWN_ID

    def word(self, name):
        """Returns what a request contains for <name>."""
        return self._names[name] if name in self._names else getattr(self, name)

    @property
    def who(self):
        """Returns the caller's name; the anonymous caller claims to be `self`."""
        return self._names["self" if self._who == "nobody" else self._who]

    me = who

    @property
    def another(self):
        """Returns a member other than the caller."""
        return self._names["self" if self._who == "member" else "member"]

    @property
    def headers(self):
        if self._who == "nobody":
            return {}
        return self._site.credentials(self.who, self._who == "admin")

    # -- conversations

    @cached_property
    def group(self):
        return self._group(username=self._names["self"])

    @cached_property
    def invite(self):
        return self._group(username=self._names["self"], join="invite")

    @cached_property
    def ownerless(self):
        return self._group()

    @cached_property
    def private(self):
        return self._api.private(self._names["self"], self._names["member"])

    def _group(self, **more):
        members = [self._names[name] for name in ("self", "member", "left", "removed", "target")]
        group = self._api.post("/conversations", {"type": "group_chat", "members": members, "join": "open",
                                                  **more}).ok["id"]
        self._sent[group] = {name: self._api.send(group, self._names[name])["id"] for name in CAST[:4]}
        self._api.leave(group, self._names["left"])
        owner = more.get("username")
        if owner or self._site.verifies:
            self._api.remove(group, self._names["removed"], owner)
        else:
            # Without an owner or admin, nobody can be removed.
            self._api.leave(group, self._names["removed"])
        return group

    # -- messages of the group

    @property
    def message(self):
        return self._sent[self.group]["self"]

    @property
    def members_message(self):
        return self._sent[self.group]["member"]

    @property
    def lefts_message(self):
        return self._sent[self.group]["left"]

    @property
    def removeds_message(self):
        return self._sent[self.group]["removed"]

    @property
    def ownerless_message(self):
        """A message sent by `member`."""
        return self._sent[self.ownerless]["member"]
