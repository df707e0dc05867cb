import pytest

from api import JSON_HEADERS, Client, new_name

pytestmark = pytest.mark.usefixtures("nothing_changes")

READ = {"GET", "HEAD"}
ALLOWED = {"/messages/{message}": READ | {"PATCH", "DELETE"}, "/messages/{message}/reactions/a": {"PUT", "DELETE"},
           "/messages/{message}/reactions/%F0%9F%91%8D": {"PUT", "DELETE"}, "/conversations/{group}": {"PATCH"},
           "/conversations/{group}/read": {"PUT"}, "/conversations/{group}/changes": READ,
           "/conversations/{group}/typing": {"POST"}, "/conversations/{group}/presence": READ,
           "/conversations/{group}/members": READ, "/metrics": READ,
           "/openapi.json": READ}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "FROB", "PUTT", "A" * 50]
WRONG = [(method, path) for path, allowed in ALLOWED.items() for method in METHODS if method not in allowed]


@pytest.fixture(scope="module")
def ids(stack):
    with Client(stack) as api:
        alice = new_name()
        group = api.group(alice)
        return {"group": group, "message": api.send(group, alice)["id"]}


def assert_told(refused, path):
    assert refused.status == 405, refused
    assert {allowed.strip() for allowed in refused.headers["Allow"].split(",")} == ALLOWED[path], refused


@pytest.mark.parametrize("method, path", WRONG)
@pytest.mark.parametrize("body", [None, b"{}"], ids=["", "with_a_body"])
def test_every_other_method_gets_405_with_the_allowed_ones(api, ids, path, method, body):
    for slash in ("", "/"):
        refused = api.request(method, path.format(**ids) + slash, body, JSON_HEADERS)
        assert_told(refused, path)
        if method != "HEAD":
            refused.problem(405, code="method_not_allowed")


@pytest.mark.parametrize("path", [path for path in ALLOWED if "{" in path])
def test_an_unknown_object_gets_405_too(api, path):
    assert_told(api.request("FROB", path.format(group=2**62, message=2**62)), path)
