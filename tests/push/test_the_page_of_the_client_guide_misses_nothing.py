"""Runs the page that docs/client.md prints in a real browser, while its network fails in every way."""
import re
import tempfile
from pathlib import Path

import pytest

from cable import Cable
from chat import Chat, name
from chromium import Page
from stack import ROOT, Stack, wait_until

PATIENCE_S = 30
LINES = "[...document.querySelectorAll('li')].map((line) => line.textContent)"


@pytest.fixture
def site():
    """The page of docs/client.md, with a minute shortened to two seconds and its request timeout to one."""
    page = re.search(r"^```html\n(<!doctype html>.*?)^```$", (ROOT / "docs/client.md").read_text(), re.S | re.M)[1]
    assert page.count("60000") == 1 and page.count("timeout(10000)") == 1
    with tempfile.TemporaryDirectory(prefix="imd-site-") as name:
        directory = Path(name)
        # nginx's workers are no root.
        directory.chmod(0o755)
        (directory / "index.html").write_text(page.replace("60000", "2000").replace("timeout(10000)", "timeout(1000)"))
        yield directory


def line(message):
    text = "(deleted)" if "deleted_at" in message else message["content"]
    return f"{message['sender']}: {text}{' (edited)' if 'edited_at' in message else ''}"


class Talk:
    """Ann's actions while bob's page follows, or cannot."""

    def __init__(self, stack):
        self.chat = Chat(stack)
        self.ann, self.bob = name("ann"), name("bob")
        self.conversations = [self.chat.group(self.ann, self.bob)]

    def amend(self, method, path, **more):
        answer = self.chat.ask(method, path, **more)
        assert answer.status_code == 200, answer.text

    def go_on(self):
        """Makes a few changes of every kind, in an old conversation and in a new one."""
        self.conversations.append(self.chat.group(self.ann, self.bob))
        for conversation in (self.conversations[0], self.conversations[-1]):
            sent = [self.chat.send(conversation, self.ann, f"message {n}") for n in range(3)]
            self.amend("PATCH", f"/messages/{sent[0]['id']}", json={"username": self.ann, "content": "better"})
            self.amend("DELETE", f"/messages/{sent[1]['id']}?username={self.ann}")
        # bob does not receive what is sent while he is away.
        self.chat.leave(self.conversations[-1], self.bob)
        self.chat.send(self.conversations[-1], self.ann, "without bob")
        self.chat.join(self.conversations[-1], self.bob)
        self.chat.send(self.conversations[-1], self.ann, "with bob again")

    def expected(self):
        answer = self.chat.ask("GET", f"/messages/?username={self.bob}&limit=1000").json()
        assert not answer["has_next"]
        return [line(message) for message in answer["messages"]]

    def wait_equal(self, page, what):
        wait_until(lambda: page.evaluate(LINES) == self.expected(), PATIENCE_S, what)


def test_the_page_misses_nothing_after_any_fault(site):
    with Stack(env={"SITE": str(site)}) as stack, Cable(stack.port) as cable:
        talk = Talk(stack)
        talk.go_on()
        with Page(f"http://127.0.0.1:{cable.port}/?me={talk.bob}") as page:
            talk.wait_equal(page, "the page shows earlier messages")
            talk.go_on()
            talk.wait_equal(page, "the page shows pushed messages")
            cable.pull()
            talk.go_on()
            assert page.evaluate(LINES) != talk.expected()
            cable.plug_in()
            talk.wait_equal(page, "the page shows messages sent while its cable was pulled")
            stack.nginx_stop()
            stack.nginx_start()
            talk.go_on()
            talk.wait_equal(page, "the page shows messages sent after nginx returned")
            # A message sent while imd is unreachable is sent once when imd answers again.
            stack.nginx_stop()
            page.evaluate("document.querySelector('input').value = 'from the page';"
                          "document.querySelector('form').requestSubmit()")
            stack.nginx_start()
            wait_until(lambda: f"{talk.bob}: from the page" in talk.expected(), PATIENCE_S, "it is sent")
            talk.wait_equal(page, "the page shows its own messages")
            assert talk.expected().count(f"{talk.bob}: from the page") == 1


def test_a_thin_event_for_one_message_is_a_reason_to_catch_up(site):
    """Its version is the next one, so only the missing object shows that there is something to fetch."""
    with Stack(env={"SITE": str(site)}) as stack:
        talk = Talk(stack)
        crowd = [f"crowd_{number}" for number in range(2000)]
        # Their messages use up the budget for large fan-outs.
        crowds = [talk.chat.group(talk.ann, *crowd) for _ in range(12)]
        last = talk.chat.group(talk.ann, talk.bob, *crowd)
        talk.chat.settle()
        with Page(f"http://127.0.0.1:{stack.port}/?me={talk.bob}") as page:
            talk.chat.send(talk.conversations[0], talk.ann, "hello")
            talk.wait_equal(page, "the page is connected")
            for conversation in (*crowds, last):
                talk.chat.send(conversation, talk.ann, "x" * 5000)
            talk.wait_equal(page, "the page shows the message that it was not pushed")
