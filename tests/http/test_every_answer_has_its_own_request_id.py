"""Every answer has an id: api.Answer asserts that for all answers of the suite."""
import pytest

from api import new_name

TARGETS = [("GET", "/healthz"), ("GET", "/messages/"), ("GET", "/conversations/"), ("POST", "/messages/"), 
           ("GET", "/nope"), ("PUT", "/messages/"), ("GET", "/%00"), ("GET", "/ws/")]


@pytest.mark.parametrize("method, path", TARGETS)
def test_request_ids_are_unique(api, method, path):
    ids = {api.request(method, path).headers["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("method, path", TARGETS)
def test_a_client_cannot_choose_the_request_id(api, method, path):
    chosen = "0123456789abcdef" * 2
    assert api.request(method, path, headers={"X-Request-Id": chosen}).headers["X-Request-Id"] != chosen


def test_a_successful_answer_has_a_request_id(api):
    alice = new_name()
    answer = api.get("/messages/", conversation_id=api.group(alice))
    assert answer.ok["messages"] == [] and answer.headers["X-Request-Id"]
