import pytest

from api import Client, new_name

pytestmark = pytest.mark.usefixtures("nothing_changes")

NOT_TIMES = ["-1", "abc", "1.5", "5.0", "1e2", "0x10", "5x", "x5", "5 ", " 5", "5\n", "--5", "٥", "null", "true", "NaN",
             "-9223372036854775808", "-" + "9" * 400]
NOT_LIMITS = ["0", "00", "-0", "", *NOT_TIMES]
NOT_NAMES = ["a b", "bob\n", "\nbob", "é", "👍", "a-b", "a.b", "\"", "<b>", "x" * 21, "x" * 3000]


@pytest.fixture(scope="module")
def alice(stack):
    with Client(stack) as api:
        name = new_name()
        api.send(api.group(name), name)
        return name


@pytest.fixture(scope="module")
def foreign(stack):
    """A conversation that the user is not a member of."""
    with Client(stack) as api:
        return api.group(new_name())


@pytest.mark.parametrize("name", ["updated_after", "updated_before"])
@pytest.mark.parametrize("value", NOT_TIMES, ids=lambda value: ascii(value)[:25])
def test_an_invalid_time_is_refused(api, alice, name, value):
    for user in (alice, "nobody_at_all"):
        refused = api.get("/conversations/", username=user, **{name: value})
        refused.problem(400, code=f"invalid_{name}", field=name)


@pytest.mark.parametrize("value", NOT_LIMITS, ids=lambda value: ascii(value)[:25])
def test_an_invalid_limit_is_refused(api, alice, value):
    for user in (alice, "nobody_at_all"):
        api.get("/conversations/", username=user, limit=value).problem(400, code="invalid_limit", field="limit")


@pytest.mark.parametrize("value", NOT_NAMES, ids=lambda value: ascii(value)[:25])
def test_an_invalid_name_is_refused(api, value):
    for more in ({}, {"id": 1}, {"updated_after": 0}):
        api.get("/conversations/", username=value, **more).problem(400, code="invalid_username", field="username")


@pytest.mark.parametrize("name", ["username", "updated_after", "updated_before", "limit"])
def test_a_parameter_given_twice_is_refused(api, alice, name):
    query = {"username": alice, "updated_after": 5, "updated_before": 5, "limit": 5}
    for values in ([query[name]] * 2, [query[name], 7]):
        api.get("/conversations/", **{**query, name: values}).problem(400, field=name)


def test_an_unknown_user_has_no_conversations(api, alice):
    for query in ({}, {"limit": 1}, {"updated_after": 0}, {"updated_after": 0, "updated_before": 2**62}):
        for name in ("nobody_at_all", alice.upper()):
            page = api.list_page(name, **query)
            assert (page["conversations"], page["has_next"]) == ([], False)
            assert page["epoch"] == api.list_page(alice)["epoch"]


def test_an_empty_parameter_counts_as_absent(api, alice):
    whole = api.list_page(alice)
    assert len(whole["conversations"]) == 1
    assert api.list_page(alice, updated_after="", updated_before="") == whole
    for query in ({"username": ""}, {"username": "", "updated_after": 5}):
        assert api.get("/conversations/", **query).ok == {"conversations": []}


def test_a_user_name_takes_precedence_over_an_id(api, alice, foreign):
    assert api.list_page(alice, id=foreign) == api.list_page(alice)
    found = api.get("/conversations/", id=foreign, username="").ok["conversations"]
    assert [conversation["id"] for conversation in found] == [foreign]


def test_unknown_parameters_are_ignored(api, alice):
    assert api.list_page(alice, x=1, after="x", around_seq=-1, conversation_id="y") == api.list_page(alice)
