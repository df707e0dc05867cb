"""
Browsers send cookies with the requests of any page. So imd checks the origin: otherwise every page of the web could
write in the name of its visitor.
"""
import json

import pytest

from api import Client, new_name
from handshake import UPGRADE, request
from sites import Host, bearer, jwt_stack
from stack import Stack
from tokens import Hs256

LISTED = "https://pages.example"
EVENTS = {"Accept": "text/event-stream"}
NO_COUNT = (401, "missing_credentials")
FOREIGN = (403, "origin_not_allowed")


class Doors:
    """One imd behind two servers, of which one lists other sites."""

    def __init__(self, stack, key=None):
        self.stack, self.key = stack, key
        self.closed = Host(stack, self.directives)
        self.open = Host(stack, f'set $imd_origins "https://first.example {LISTED}"; {self.directives}')

    directives = ""

    def cookie(self, name):
        return {"Cookie": f"imd_token={self.key.token(name)}"}


@pytest.fixture(scope="module")
def doors():
    key = Hs256("tests")
    stack = jwt_stack(key)
    both = Doors(stack, key)
    with stack:
        yield both


def origins(host):
    """Origins that are not this site, however similar they look."""
    here = f"127.0.0.1:{host.port}"
    return ["https://evil.example", "null", "http://127.0.0.1", f"http://127.0.0.1:{host.port + 1}",
            f"http://{here}.evil.example",
            f"http://evil.example:{host.port}", f"http://evil.example/{here}", f"http://{here}@evil.example", "file://",
            f"http://x{here}", f"http://evil.example?{here}", f"http://evil.example#http://{here}", here, "x",
            "http://",
            f"{LISTED}.evil.example", f"https://evil.example {LISTED}", "https://pages.exampl", "https://ages.example",
            "http://pages.example", f"{LISTED}:8443", "https://first.example https://pages.example", "*"]


def outcome(answer):
    return answer.status, answer.json["code"] if answer.status >= 400 else None


def read(host, headers):
    with Client(host) as client:
        assert client.request("HEAD", "/conversations", None, headers).status \
            == (found := client.request("GET", "/conversations", None, headers)).status
        return outcome(found)


def write(host, headers):
    with Client(host) as client:
        return outcome(client.write("POST", "/conversations", {"type": "group_chat", "members": [new_name()]}, headers))


def socket(host, headers, how=UPGRADE):
    answer = request(host, "/ws", {**how, **headers})
    return answer.status, json.loads(answer.body)["code"] if answer.status >= 400 else None


def own(host):
    return {"Origin": f"http://127.0.0.1:{host.port}"}


@pytest.fixture(params=["closed", "open"])
def host(doors, request):
    return getattr(doors, request.param)


def test_a_cookie_counts_for_own_pages(doors, host):
    mine = {**doors.cookie("ann"), **own(host)}
    assert read(host, mine) == write(host, mine) == (200, None)
    assert socket(host, mine) == (101, None) and socket(host, mine, EVENTS) == (200, None)
    # Origin takes precedence over Sec-Fetch-Site.
    assert read(host, {**mine, "Sec-Fetch-Site": "cross-site"}) == (200, None)


def test_a_cookie_counts_for_pages_of_listed_sites(doors):
    for origin in (LISTED, "https://first.example"):
        listed = {**doors.cookie("ann"), "Origin": origin, "Sec-Fetch-Site": "cross-site"}
        assert read(doors.open, listed) == write(doors.open, listed) == (200, None)
        assert socket(doors.open, listed) == (101, None) and socket(doors.open, listed, EVENTS) == (200, None)
        assert read(doors.closed, listed) == write(doors.closed, listed) == NO_COUNT


def test_a_cookie_does_not_count_for_foreign_pages(doors, host):
    for origin in origins(host):
        foreign = {**doors.cookie("ann"), "Origin": origin}
        assert (origin, read(host, foreign)) == (origin, NO_COUNT)
        assert (origin, write(host, foreign)) == (origin, NO_COUNT)
        assert (origin, write(host, {**foreign, "Sec-Fetch-Site": "same-origin"})) == (origin, NO_COUNT)


def test_a_cookie_opens_no_socket_for_foreign_pages(doors, host):
    expected = FOREIGN if host is doors.open else NO_COUNT
    for origin in origins(host):
        foreign = {**doors.cookie("ann"), "Origin": origin}
        for how in (UPGRADE, EVENTS):
            assert (origin, socket(host, foreign, how)) == (origin, expected)


def test_without_an_origin_a_cookie_counts_only_for_reads(doors, host):
    """Links and programs send no Origin: they may read and open a socket, but not write."""
    mine = doors.cookie("ann")
    assert read(host, mine) == (200, None)
    assert write(host, mine) == NO_COUNT
    assert socket(host, mine) == (101, None)
    for site, expected in (("same-origin", (200, None)), ("none", (200, None)), ("cross-site", NO_COUNT)):
        assert read(host, {**mine, "Sec-Fetch-Site": site}) == expected
        assert write(host, {**mine, "Sec-Fetch-Site": site}) == NO_COUNT


def test_every_writing_method_needs_an_allowed_origin(doors, host):
    with Client(host) as client:
        for method, path in (("POST", "/messages"), ("POST", "/conversations"), ("PATCH", "/messages/1"),
                             ("DELETE", "/messages/1"),
                             ("PUT", "/messages/1/reactions/x"), ("DELETE", "/messages/1/reactions/x"),
                             ("PATCH", "/conversations/1"),
                             ("POST", "/conversations/1/join"), ("POST", "/conversations/1/leave"),
                             ("POST", "/conversations/1/typing"),
                             ("PUT", "/conversations/1/read"), ("PUT", "/conversations/1/members/ann"),
                             ("DELETE", "/conversations/1/members/ann")):
            body = None if method == "DELETE" or "reactions" in path else b"{}"
            for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
                answer = client.request(method, path, body, {**doors.cookie("ann"), **headers})
                answer.problem(401, code="missing_credentials")


def test_a_form_of_a_foreign_page_is_refused(doors, host):
    """With the content types that a form may send without a preflight."""
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        headers = {**doors.cookie("ann"), "Origin": "https://evil.example", "Content-Type": content_type}
        with Client(host) as client:
            client.request("POST", "/conversations", b'{"type":"group_chat","members":["ann"]}', headers).problem(401)


def test_a_token_in_the_header_counts_for_any_origin(doors, host):
    """Browsers do not send it by themselves. So if a foreign page has a token, it was given to that page."""
    for origin in ("https://evil.example", "null"):
        headers = {**bearer(doors.key.token("ann")), "Origin": origin}
        assert read(host, headers) == write(host, headers) == (200, None)


def test_a_token_in_the_address_counts_unless_the_origin_is_unlisted(doors):
    target = f"/ws?token={doors.key.token('ann')}"
    assert request(doors.closed, target, {**UPGRADE, "Origin": "https://evil.example"}).status == 101
    request(doors.open, target, {**UPGRADE, "Origin": "https://evil.example"}).assert_problem(403)
    assert request(doors.open, target, {**UPGRADE, "Origin": LISTED}).status == 101


# -- browsers also send what the host's nginx authenticates by

@pytest.fixture(scope="module")
def ambient():
    stack = Stack(env={"AUTH": "proxy"})

    class ProxyDoors(Doors):
        directives = "set $imd_user $http_x_test_user;"

    both = ProxyDoors(stack)
    with stack:
        yield both


def test_foreign_pages_are_refused_in_proxy_mode(ambient):
    ann = {"X-Test-User": "ann"}
    for host in (ambient.closed, ambient.open):
        assert read(host, ann) == write(host, ann) == (200, None)
        assert socket(host, ann) == (101, None) and socket(host, ann, EVENTS) == (200, None)
        mine = {**ann, **own(host)}
        assert read(host, mine) == write(host, mine) == (200, None) and socket(host, mine) == (101, None)
        for origin in origins(host):
            foreign = {**ann, "Origin": origin}
            assert (origin, write(host, foreign)) == (origin, FOREIGN)
            assert (origin, read(host, foreign)) == (origin, FOREIGN)
            assert (origin, socket(host, foreign)) == (origin, FOREIGN)
    listed = {**ann, "Origin": LISTED}
    assert read(ambient.open, listed) == write(ambient.open, listed) == (200, None)
    assert socket(ambient.open, listed) == (101, None)
