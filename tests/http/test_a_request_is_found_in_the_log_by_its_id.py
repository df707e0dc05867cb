import pytest

from api import Client, new_name
from stack import Stack, wait_until


@pytest.fixture(scope="module")
def talkative():
    with Stack(imd_flags=["--log-level=debug"]) as own:
        yield own


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/messages/?username=bob", 200),
    ("GET", "/messages/?limit=x", 400),
    ("POST", "/conversations/7/join", 400),
    ("GET", "/conversations/x/y", 404),
])
def test_the_log_line_of_a_request_has_its_id(talkative, method, path, status):
    with Client(talkative) as api:
        answer = api.request(method, path)
    assert answer.status == status
    wanted = "request_id=" + answer.headers["X-Request-Id"]
    # The answer may arrive before the line is written.
    wait_until(lambda: wanted in talkative.log(), 5, f"a line with {wanted}")


def test_hostile_names_do_not_break_the_log(talkative):
    """The stack asserts at its end that every line of the log is well-formed."""
    name = "a\nlevel=error\r\n\x1b[31m\x7f"
    with Client(talkative) as api:
        api.post("/conversations/", {"type": "group_chat", "members": [name]}).problem(400)
        api.get("/messages/", username=name).problem(400)
        alice = new_name()
        api.send(api.group(alice), alice, name)
