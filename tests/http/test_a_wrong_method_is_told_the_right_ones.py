import pytest

from api import JSON_HEADERS, Client, new_name, raw_request

pytestmark = pytest.mark.usefixtures("nothing_changes")

READ, WRITE = {"GET", "HEAD"}, {"POST"}
ALLOWED = {"/messages/": READ | WRITE, "/conversations/": READ | WRITE, "/conversations/{id}/join": WRITE,
           "/conversations/{id}/leave": WRITE, "/healthz": READ, "/ws/": READ}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "MKCOL", "FROB", "GETT",
           "A" * 50]
WRONG = [(method, path) for path, allowed in ALLOWED.items() for method in METHODS if method not in allowed]


@pytest.fixture(scope="module")
def group(stack):
    with Client(stack) as api:
        return api.group(new_name())


@pytest.mark.parametrize("method, path", WRONG)
@pytest.mark.parametrize("body", [None, b"{}"], ids=["", "with_a_body"])
def test_every_other_method_gets_405_with_the_allowed_ones(api, group, path, method, body):
    refused = api.request(method, path.format(id=group), body, JSON_HEADERS)
    assert refused.status == 405, refused
    allow = {allowed.strip() for allowed in refused.headers["Allow"].split(",")}
    assert allow == ALLOWED[path], refused
    if method != "HEAD":
        refused.problem(405)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
def test_methods_that_nginx_refuses_get_405(api, method):
    """nginx refuses before it looks at the path, so the answer lists what any path allows."""
    refused = api.request(method, "/messages/")
    refused.problem(405)
    assert {allowed.strip() for allowed in refused.headers["Allow"].split(",")} == READ | WRITE


@pytest.mark.parametrize("method", [b"get", b"G@T", b"\x80", b"\"GET\""])
def test_malformed_methods_are_refused(stack, method):
    raw_request(stack, method, b"/messages/").problem(400)
