import pytest

from api import Client, new_name

NOT_TIMES = ["-1", "abc", "1.5", "5.0", "1e2", "0x10", "5x", "x5", "5 ", " 5", "5\n", "--5", "٥", "null", "true",
             "NaN", "-9223372036854775808", "-" + "9" * 400]
NOT_LIMITS = ["0", "00", "-0", *NOT_TIMES]


@pytest.fixture(scope="module")
def chat(stack):
    with Client(stack) as api:
        alice = new_name()
        group = api.group(alice)
        return {"username": alice, "conversation_id": group, "sent": [api.send(group, alice, str(i)) for i in range(3)]}


@pytest.fixture(params=["username", "conversation_id"])
def query(request, chat):
    return {request.param: chat[request.param]}


@pytest.mark.parametrize("value", NOT_LIMITS, ids=lambda value: ascii(value)[:25])
def test_an_invalid_limit_is_refused(api, query, value):
    api.get("/messages/", limit=value, **query).problem(400, code="invalid_limit", field="limit")


def test_an_invalid_limit_is_refused_for_a_user_without_messages(api):
    api.get("/messages/", limit="0", username="nobody_at_all").problem(400, code="invalid_limit", field="limit")
    api.get("/messages/", limit="x", conversation_id=2**62).problem(400, code="invalid_limit", field="limit")


@pytest.mark.parametrize("value", NOT_TIMES, ids=lambda value: ascii(value)[:25])
def test_an_invalid_time_is_refused(api, query, value):
    api.get("/messages/", after=value, **query).problem(400, code="invalid_after", field="after")


def test_zero_and_the_largest_time_are_valid(api, chat, query):
    assert api.page(after=0, **query)["messages"] == chat["sent"]
    assert api.page(after=2**63 - 1, **query) == {"messages": [], "has_next": False}


def test_after_is_exclusive(api, chat, query):
    first, second, third = chat["sent"]
    assert api.page(after=first["timestamp"], **query)["messages"] == [second, third]
    assert api.page(after=first["timestamp"] - 1, **query)["messages"] == chat["sent"]
    assert api.page(after=third["timestamp"], **query) == {"messages": [], "has_next": False}


def test_has_next_tells_whether_more_follows(api, chat, query):
    sent = chat["sent"]
    assert api.page(limit=2, **query) == {"messages": sent[:2], "has_next": True}
    assert api.page(limit=3, **query) == {"messages": sent, "has_next": False}
    assert api.page(limit=4, **query) == {"messages": sent, "has_next": False}
