"""
A browser shows an answer to another site's page only if the answer allows it (CORS). imd allows the sites that the
host lists.
"""
import pytest

from api import Client
from handshake import UPGRADE, request
from sites import Host, bearer, jwt_stack
from stack import Stack
from tokens import Hs256

LISTED, OTHER = "https://pages.example", "https://first.example"
FOREIGN = ["https://evil.example", "null", f"{LISTED}.evil.example", "https://pages.exampl", f"x{LISTED}",
           f"{OTHER} {LISTED}", "*", "HTTPS://PAGES.EXAMPLE.evil"]
ALLOWS = "Access-Control-Allow-Origin"
PREFLIGHT = {"Access-Control-Request-Method": "PATCH",
             "Access-Control-Request-Headers": "authorization,content-type,idempotency-key"}


class Doors:
    def __init__(self, stack, headers):
        self.open = Host(stack, f'set $imd_origins "{OTHER} {LISTED}";')
        self.closed = Host(stack)
        self.headers = headers


@pytest.fixture(scope="module")
def verified_doors():
    key = Hs256("tests")
    stack = jwt_stack(key)
    doors = Doors(stack, bearer(key.token("ann")))
    with stack:
        yield doors


@pytest.fixture(scope="module")
def open_doors():
    stack = Stack(env={"AUTH": "none"})
    doors = Doors(stack, {})
    with stack:
        yield doors


@pytest.fixture(params=["verified_doors", "open_doors"])
def doors(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def api(doors):
    with Client(doors.open) as client:
        yield client


def listed_words(answer, header):
    return {word.strip().lower() for word in answer.headers.get(header, "").split(",")}


# An answer, a refusal by a rule, one by the router, and one by nginx.
REQUESTS = [("GET", "/conversations?username=ann", None), ("GET", "/messages/999999", None),
            ("GET", "/conversations?id=x", None),
            ("PATCH", "/messages", None), ("GET", "/messages/x/y", None), ("GET", "/healthz", None),
            ("POST", "/conversations", b'{"type":"group_chat","members":["ann"]}'),
            ("POST", "/messages", b"x" * 600_000)]


@pytest.mark.parametrize("method, path, body", REQUESTS)
def test_answers_allow_listed_origins(api, doors, method, path, body):
    for origin in (LISTED, OTHER):
        answer = api.request(method, path, body, {**doors.headers, "Origin": origin})
        assert answer.headers.get_all(ALLOWS) == [origin], answer
        assert "origin" in listed_words(answer, "Vary"), answer
        assert answer.headers.get("Access-Control-Allow-Credentials") in (None, "true"), answer
    for origin in FOREIGN:
        answer = api.request(method, path, body, {**doors.headers, "Origin": origin})
        assert answer.headers[ALLOWS] is None, answer
    assert api.request(method, path, body, doors.headers).headers[ALLOWS] is None


def test_refusals_allow_listed_origins(verified_doors):
    with Client(verified_doors.open) as client:
        answer = client.request("GET", "/conversations", None, {"Origin": LISTED})
        answer.problem(401)
        assert answer.headers.get_all(ALLOWS) == [LISTED]


def test_answers_expose_imds_headers(api, doors):
    answer = api.request("GET", "/conversations?username=ann", None, {**doors.headers, "Origin": LISTED})
    assert {"x-request-id", "idempotent-replayed", "retry-after"} <= listed_words(answer,
                                                                                  "Access-Control-Expose-Headers")


@pytest.mark.parametrize("path", ["/messages", "/messages/1", "/messages/1/reactions/x", "/conversations",
                                  "/conversations/1",
                                  "/conversations/1/members/ann", "/ws", "/conversations/1/join/"])
def test_a_preflight_of_a_listed_origin_is_granted(api, path):
    """Browsers send it without credentials."""
    answer = api.request("OPTIONS", path, None, {"Origin": LISTED, **PREFLIGHT})
    assert (answer.status, answer.body) == (204, b""), answer
    assert answer.headers.get_all(ALLOWS) == [LISTED]
    assert {"get", "post", "put", "patch", "delete"} <= listed_words(answer, "Access-Control-Allow-Methods"), answer
    assert {"authorization", "content-type", "idempotency-key"} <= listed_words(answer,
                                                                                "Access-Control-Allow-Headers"), answer
    assert "origin" in listed_words(answer, "Vary"), answer


def test_a_preflight_of_another_origin_is_not_granted(api):
    for headers in ({}, *({"Origin": origin} for origin in FOREIGN)):
        answer = api.request("OPTIONS", "/messages", None, {**headers, **PREFLIGHT})
        answer.problem(405)
        assert answer.headers[ALLOWS] is None and answer.headers["Allow"], answer


def test_no_cors_headers_are_sent_if_no_site_is_listed(doors):
    with Client(doors.closed) as client:
        for origin in (LISTED, "https://evil.example", "null", ""):
            for method, path in (("GET", "/conversations?username=ann"), ("GET", "/messages/x")):
                assert client.request(method, path, None, {**doors.headers, "Origin": origin}).headers[ALLOWS] is None
            client.request("OPTIONS", "/messages", None, {"Origin": origin, **PREFLIGHT}).problem(405)


def test_an_event_stream_allows_listed_origins(doors):
    answer = request(doors.open, "/ws?username=ann", {"Accept": "text/event-stream", "Origin": LISTED, **doors.headers})
    assert (answer.status, answer.headers.get(ALLOWS.lower())) == (200, LISTED)


def test_sockets_of_unlisted_origins_are_refused(doors):
    for how in (UPGRADE, {"Accept": "text/event-stream"}):
        for origin in FOREIGN:
            request(doors.open, "/ws?username=ann", {**how, "Origin": origin, **doors.headers}).assert_problem(403)
        assert request(doors.open, "/ws?username=ann", {**how, **doors.headers}).status in (101, 200)
        here = f"http://127.0.0.1:{doors.open.port}"
        assert request(doors.open, "/ws?username=ann", {**how, "Origin": here, **doors.headers}).status in (101, 200)
