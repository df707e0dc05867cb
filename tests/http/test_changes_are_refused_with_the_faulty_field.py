import pytest

from api import Client, new_name

pytestmark = pytest.mark.usefixtures("nothing_changes")

NOT_VERSIONS = ["-1", "abc", "1.5", "5.0", "1e2", "0x10", "5x", "x5", "5 ", " 5", "5\n", "--5", "٥", "null", "true",
                "NaN", "", "-" + "9" * 400]
NOT_LIMITS = ["0", "00", "-0", *NOT_VERSIONS]
NOT_NAMES = ["a b", "bob\n", "é", "👍", "a-b", "\"", "x" * 21, "x" * 3000]


@pytest.fixture(scope="module")
def path(stack):
    with Client(stack) as api:
        return f"/conversations/{api.group(new_name())}/changes"


@pytest.mark.parametrize("value", NOT_VERSIONS, ids=lambda value: ascii(value)[:25])
def test_an_invalid_version_is_refused(api, path, value):
    api.get(path, after=value).problem(400, code="invalid_after", field="after")


@pytest.mark.parametrize("value", NOT_LIMITS, ids=lambda value: ascii(value)[:25])
def test_an_invalid_limit_is_refused(api, path, value):
    api.get(path, limit=value).problem(400, code="invalid_limit", field="limit")
    api.get(path, limit=value, after=2**62).problem(400, code="invalid_limit", field="limit")


@pytest.mark.parametrize("value", NOT_NAMES, ids=lambda value: ascii(value)[:25])
def test_an_invalid_name_is_refused(api, path, value):
    api.get(path, username=value).problem(400, code="invalid_username", field="username")


@pytest.mark.parametrize("name", ["after", "limit", "username"])
def test_a_parameter_given_twice_is_refused(api, path, name):
    for values in (["5", "5"], ["5", "6"]):
        api.get(path, **{name: values}).problem(400, field=name)


@pytest.mark.parametrize("query", [{}, {"after": 5}, {"username": "bob"}], ids=str)
def test_an_unknown_conversation_is_not_found(api, query):
    refused = api.get(f"/conversations/{2**62}/changes", **query)
    refused.problem(404, "Invalid conversation ID", "invalid_conversation_id")


@pytest.mark.parametrize("limit", [1001, 2**31, 2**63 - 1, 2**64, 10**30])
def test_a_large_limit_is_accepted(api, path, limit):
    api.get(path, limit=limit).ok


def test_an_empty_name_counts_as_absent(api, path):
    assert api.get(path, username="").ok == api.get(path).ok
