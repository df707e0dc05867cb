"""The requests by which tests make changes. Each asserts that it was granted."""
import uuid

import requests

import contract
from stack import wait_until


def name(stem):
    """Returns a user name that no other test uses: the tests of one run share a database."""
    return f"{stem}_{uuid.uuid4().hex[:10]}"


class Chat:
    def __init__(self, stack):
        self.url = stack.url
        self._http = requests.Session()
        self._http.trust_env = False

    def ask(self, method, path, **more):
        """Sends any request and returns the answer, granted or not."""
        answer = self._http.request(method, self.url + path, timeout=30, allow_redirects=False, **more)
        contract.check(method, path, answer.status_code, answer.headers, answer.content)
        return answer

    def _granted(self, method, path, **more):
        answer = self.ask(method, path, **more)
        assert answer.status_code == 200, (method, path, answer.status_code, answer.text)
        return answer.json()

    def create(self, kind, members):
        return self._granted("POST", "/conversations/", json={"type": kind, "members": list(members)})

    def group(self, *members):
        return self.create("group_chat", members)

    def private(self, one, other):
        return self.create("private_chat", (one, other))

    def send(self, conversation, username, content):
        body = {"conversation_id": conversation["id"], "username": username, "content": content}
        return self._granted("POST", "/messages/", json=body)

    def join(self, conversation, username):
        self._granted("POST", f"/conversations/{conversation['id']}/join", json={"username": username})

    def leave(self, conversation, username):
        self._granted("POST", f"/conversations/{conversation['id']}/leave", json={"username": username})

    def conversation(self, conversation):
        [found] = self._granted("GET", "/conversations/", params={"id": conversation["id"]})["conversations"]
        return found

    def messages(self, conversation):
        """Returns all messages of a conversation, page by page."""
        found, after, more = [], 0, True
        while more:
            page = self._granted("GET", "/messages/", params={"conversation_id": conversation["id"], "after": after,
                                                              "limit": 1000})
            found += page["messages"]
            more = page["has_next"]
            after = found[-1]["timestamp"] if found else 0
        return found

    def settle(self):
        """Waits until nothing is left to push, so that a socket opened now receives only later changes."""
        wait_until(lambda: self._granted("GET", "/healthz")["outbox_pending"] == 0, 15, "all changes are pushed")

    def fence(self, listener, username):
        """
        Returns when everything pushed to `username` so far has arrived. Pushes come in the order of commits, so a
        message that is sent now comes after them.
        """
        chat = self.private(username, name("fence"))
        sent = self.send(chat, username, "the fence")
        listener.wait(lambda: any(e.get("message") == sent for e in listener.about(chat["id"])), "the fence")


def versions(events):
    return [event["version"] for event in events]


def contents(events):
    return [event["message"]["content"] for event in events if event["event"] == "message.created"]
