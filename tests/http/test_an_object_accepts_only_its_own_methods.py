import pytest

from api import JSON_HEADERS, Client, new_name
from routes import PATHS, allowed

pytestmark = pytest.mark.usefixtures("nothing_changes")

ALLOWED = {path: allowed(path) for path in PATHS if "{" in path}
EMOJIS = ("a", "%F0%9F%91%8D")
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "FROB", "PUTT", "A" * 50]
WRONG = [(method, path) for path, right in ALLOWED.items() for method in METHODS if method not in right]


@pytest.fixture(scope="module")
def ids(stack):
    with Client(stack) as api:
        alice = new_name()
        group = api.group(alice)
        return {"/conversations": group, "/messages": api.send(group, alice)["id"], "name": alice}


def targets(path, ids):
    """The path with its parameters filled in, once for each emoji, without and with a trailing slash."""
    number = ids[path[:path.index("/", 1)]]
    return sorted({path.format(id=number, name=ids["name"], emoji=emoji) + slash
                   for emoji in EMOJIS for slash in ("", "/")})


def assert_refused(refused, path):
    assert refused.status == 405, refused
    assert {right.strip() for right in refused.headers["Allow"].split(",")} == ALLOWED[path], refused


@pytest.mark.parametrize("method, path", WRONG)
@pytest.mark.parametrize("body", [None, b"{}"], ids=["", "with_a_body"])
def test_every_other_method_gets_405_with_the_allowed_ones(api, ids, path, method, body):
    for target in targets(path, ids):
        refused = api.request(method, target, body, JSON_HEADERS)
        assert_refused(refused, path)
        if method != "HEAD":
            refused.problem(405, code="method_not_allowed")


@pytest.mark.parametrize("path", ALLOWED)
def test_an_unknown_object_gets_405_too(api, path):
    for target in targets(path, {"/conversations": 2**62, "/messages": 2**62, "name": new_name()}):
        assert_refused(api.request("FROB", target), path)
