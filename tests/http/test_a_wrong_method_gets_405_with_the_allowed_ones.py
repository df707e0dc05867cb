import pytest

from api import JSON_HEADERS, raw_request
from routes import PATHS, allowed

pytestmark = pytest.mark.usefixtures("nothing_changes")

# Paths that name no object. test_an_object_accepts_only_its_own_methods.py has the others.
ALLOWED = {path: allowed(path) for path in PATHS if "{" not in path}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "MKCOL", "FROB", "GETT",
           "A" * 50]
WRONG = [(method, path) for path, right in ALLOWED.items() for method in METHODS if method not in right]


@pytest.mark.parametrize("method, path", WRONG)
@pytest.mark.parametrize("body", [None, b"{}"], ids=["", "with_a_body"])
def test_every_other_method_gets_405_with_the_allowed_ones(api, path, method, body):
    for slash in ("", "/"):
        refused = api.request(method, path + slash, body, JSON_HEADERS)
        assert refused.status == 405, refused
        assert {right.strip() for right in refused.headers["Allow"].split(",")} == ALLOWED[path], refused
        if method != "HEAD":
            refused.problem(405)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
def test_methods_that_nginx_refuses_get_405(api, method):
    """nginx refuses before it looks at the path, so the answer lists what any path allows."""
    refused = api.request(method, "/messages/")
    refused.problem(405)
    assert {right.strip() for right in refused.headers["Allow"].split(",")} == allowed("/messages")


@pytest.mark.parametrize("method", [b"get", b"G@T", b"\x80", b"\"GET\""])
def test_malformed_methods_are_refused(stack, method):
    raw_request(stack, method, b"/messages/").problem(400)
