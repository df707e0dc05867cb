"""Users who call a site. Each gives their own name in every request, which is allowed in every mode."""
from urllib.parse import urlencode


class Person:
    def __init__(self, site, name, headers):
        self.site, self.name, self.headers = site, name, headers

    def ask(self, method, path, body=None, headers=(), **query):
        """Sends any request, with only what is given, and returns the answer, granted or not. A body is JSON."""
        path = f"{path}?{urlencode(query, doseq=True)}" if query else path
        headers = {**self.headers, **dict(headers)}
        if body is None:
            return self.site.api.request(method, path, None, headers)
        return self.site.api.write(method, path, body, headers)

    # -- requests that may be refused

    def say(self, group, content="hello"):
        return self.ask("POST", "/messages", {"conversation_id": group, "username": self.name, "content": content})

    def erase(self, message):
        return self.ask("DELETE", f"/messages/{message}", username=self.name)

    def edit(self, message, content):
        return self.ask("PATCH", f"/messages/{message}", {"username": self.name, "content": content})

    def join(self, group):
        return self.ask("POST", f"/conversations/{group}/join", {"username": self.name})

    def leave(self, group):
        return self.ask("POST", f"/conversations/{group}/leave", {"username": self.name})

    def change(self, group, **what):
        """Changes the title or the join policy."""
        return self.ask("PATCH", f"/conversations/{group}", {"username": self.name, **what})

    def add(self, group, other, **role):
        return self.ask("PUT", f"/conversations/{group}/members/{other.name}", {"username": self.name, **role})

    def remove(self, group, other):
        return self.ask("DELETE", f"/conversations/{group}/members/{other.name}", username=self.name)

    def create(self, *others, kind="group_chat", **more):
        """Creates a conversation of this user with these others."""
        names = [self.name, *(other.name for other in others)]
        return self.ask("POST", "/conversations", {"type": kind, "members": names, "username": self.name, **more})

    def group(self, *others, **more):
        """Creates a group, an open one unless a join policy is given."""
        return self.create(*others, **{"join": "open", **more}).ok["id"]

    # -- reads: requests that are granted

    def conversation(self, group):
        (found,) = self.ask("GET", "/conversations", id=group).ok["conversations"]
        return found

    def version(self, group):
        return self.conversation(group)["version"]

    def listed(self, group):
        """Returns the group as the user's own list shows it; None if it does not."""
        page = self.ask("GET", "/conversations", username=self.name, limit=1000).ok["conversations"]
        return next((entry for entry in page if entry["id"] == group), None)

    def changes(self, group, after=0):
        return self.ask("GET", f"/conversations/{group}/changes", after=after, username=self.name).ok

    def roles(self, group):
        """Returns {name: role} of the members, as the group's changes list them."""
        return {member["username"]: member["role"] for member in self.changes(group)["members"]
                if not member.get("left")}

    def received(self, **query):
        return self.ask("GET", "/messages", username=self.name, limit=1000, **query).ok["messages"]
