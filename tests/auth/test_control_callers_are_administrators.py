"""
The table of the answers on the control socket, which are the same in each auth mode. Every route has a row. Through
nginx, the routes of the control socket exist for no caller.

The words of a request are those of scene.py. An administrator who names a user acts with that user's rights. One who
names no user acts by their own authority.
"""
import http.client
import json
import re
from urllib.parse import quote

import pytest

import fastcgi
from api import new_name
from scene import Scene
from stack import ROOT

ALL = [
    ("GET /messages", 400),
    ("GET /messages?username=<member>", 200),
    ("GET /messages?conversation_id=<private>", 200),
    ("GET /messages?conversation_id=<private>&after_seq=0", 200),
    ('POST /messages {"conversation_id": <group>, "content": "hi", "username": "<member>"}', 200),
    ('POST /messages {"conversation_id": <group>, "content": "hi", "username": "<other>"}', 403),
    ('POST /messages {"conversation_id": <group>, "content": "hi", "username": "<removed>"}', 403),
    ('POST /messages {"conversation_id": <group>, "content": "hi", "username": ""}', 400),
    ('POST /messages {"conversation_id": <group>, "content": "hi"}', 400),
    ("GET /messages/<message>", 200),
    ("GET /messages/<message>?username=<self>", 200),
    ("GET /messages/<message>?username=<other>", 403),
    ('PATCH /messages/<message> {"content": "new", "username": "<self>"}', 200),
    ('PATCH /messages/<message> {"content": "new", "username": "<member>"}', 403),
    ('PATCH /messages/<message> {"content": "new"}', 400),
    ("DELETE /messages/<message>", 200),
    ("DELETE /messages/<message>?username=<self>", 200),
    ("DELETE /messages/<message>?username=<member>", 403),
    ("PUT /messages/<message>/reactions/👍?username=<member>", 200),
    ("PUT /messages/<message>/reactions/👍?username=<other>", 403),
    ("PUT /messages/<message>/reactions/👍", 400),
    ("DELETE /messages/<message>/reactions/👍?username=<member>", 200),
    ("DELETE /messages/<message>/reactions/👍", 400),
    ("DELETE /messages/<message>/reactions/👍?all=true", 200),
    ("GET /messages/<message>/reactions?emoji=👍", 200),
    ('POST /conversations {"type": "group_chat", "members": ["<other>", "<unnamed>"]}', 200),
    ('POST /conversations {"type": "group_chat", "members": ["<member>"], "username": "<self>"}', 200),
    ("GET /conversations", 400),
    ("GET /conversations?id=<private>&id=<group>", 200),
    ("GET /conversations?username=<member>", 200),
    ('PATCH /conversations/<group> {"title": "t"}', 200),
    ('PATCH /conversations/<group> {"title": "t", "username": "<self>"}', 200),
    ('PATCH /conversations/<group> {"title": "t", "username": "<member>"}', 403),
    ('POST /conversations/<group>/join {"username": "<other>"}', 200),
    ('POST /conversations/<invite>/join {"username": "<other>"}', 403),
    ('POST /conversations/<group>/join {"username": "<removed>"}', 403),
    ("POST /conversations/<group>/join {}", 404),
    ('POST /conversations/<group>/leave {"username": "<member>"}', 200),
    ("GET /conversations/<private>/members", 200),
    ("PUT /conversations/<invite>/members/<newcomer> {}", 200),
    ('PUT /conversations/<group>/members/<member> {"role": "admin"}', 200),
    ('PUT /conversations/<ownerless>/members/<member> {"role": "owner"}', 200),
    ('PUT /conversations/<group>/members/<newcomer> {"username": "<other>"}', 403),
    ("PUT /conversations/<group>/members/<removed> {}", 200),
    ("DELETE /conversations/<group>/members/<target>", 200),
    ("DELETE /conversations/<group>/members/<target>?username=<member>", 403),
    ("DELETE /conversations/<private>/members/<member>", 403),
    ('PUT /conversations/<group>/read {"seq": 1, "username": "<member>"}', 200),
    ('PUT /conversations/<group>/read {"seq": 1}', 400),
    ("GET /conversations/<private>/changes", 200),
    ("GET /conversations/<group>/changes?username=<other>", 403),
    ('POST /conversations/<group>/typing {"username": "<member>"}', 202),
    ("POST /conversations/<group>/typing {}", 400),
    ("GET /conversations/<private>/presence", 200),
    ("GET /ws?username=<member>", 400),
    ("GET /healthz", 200),
    ("GET /metrics", 200),
    ("GET /openapi.json", 200),
    ("GET /control/status", 200),
    ("GET /control/status/", 200),
    ("HEAD /control/status", 200),
    ("POST /control/status {}", 405),
    ("GET /control/listeners?username=<self>", 200),
    ("GET /control/listeners?username=<self>&username=<unnamed>", 200),
    ("GET /control/listeners", 400),
    ("GET /control/listeners?username=b-a-d", 400),
    ("GET /control/nothing", 404),
]


def split(request, scene):
    said = re.sub(r"<(\w+)>", lambda found: str(scene.word(found[1])), request)
    return (*said.split(" ", 2), "")[:3]


@pytest.mark.parametrize("request_, expected", ALL, ids=[row[0].replace("👍", "thumb") for row in ALL])
def test_the_control_socket_answers_as_the_table_says(any_site, request_, expected):
    method, target, body = split(request_, Scene(any_site, "nobody"))
    path, mark, query = target.partition("?")
    before = any_site.books.read()
    status, text = fastcgi.ask(any_site.stack.state / "control.sock", method,
                               path + mark + quote(query, safe="=&"), json.loads(body) if body else None)
    assert status == expected, text
    if status >= 400:
        assert any_site.books.read() == before


def test_every_route_has_a_row():
    table = (ROOT / "fcgi_app/routes.c").read_text()
    routes = set(re.findall(r'^ *\{"([A-Z]+)", "(/[^"]+)",', table, re.M))
    asked = set()
    for request, _ in ALL:
        method, target = request.split(" ")[:2]
        path = re.sub(r"^(/(?:conversations|messages))/<\w+>", r"\1/{id}", target.split("?")[0])
        asked.add((method, re.sub(r"/members/<\w+>", "/members/{name}", path.replace("👍", "{emoji}"))))
    assert routes <= asked


ROUTES = ("/control/status", "/control/listeners?username=ann")
SPELLINGS = ("//control/status", "/control//status", "/%63ontrol/status", "/messages/../control/status",
             "/healthz/../control/status", "/messages/%2e%2e/control/status", "/control/status?control=1", "/control.sock",
             "/CONTROL/STATUS", "/control/status/", "/conversations/1/../../control/status")
CLAIMS = {"X-Imd-Control": "1", "Imd-Path": "/control/status", "Imd-Control": "1", "Control": "1",
          "X-Accel-Redirect": "/control/status", "X-Original-URL": "/control/status", "X-Rewrite-URL": "/control/status",
          "X-Forwarded-For": "unix:", "Host": "control.sock"}


def ask_nginx(door, method, target, headers):
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=20)
    try:
        connection.request(method, target, b"{}" if method == "POST" else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("caller", ["nobody", "self", "admin"])
@pytest.mark.parametrize("target", [*ROUTES, *SPELLINGS])
def test_no_caller_reaches_a_control_route_through_nginx(any_site, caller, target):
    name = new_name("user")
    headers = {} if caller == "nobody" else any_site.credentials(name, caller == "admin")
    for method in ("GET", "POST"):
        for claims in ({}, CLAIMS):
            status, text = ask_nginx(any_site.door, method, target, {**headers, **claims})
            assert status in (400, 404) and b"master_pid" not in text, (status, text)


def test_an_administrator_removes_a_member_for_good(any_site):
    """By their own authority: not as if the member had left."""
    control = any_site.stack.state / "control.sock"
    scene = Scene(any_site, "nobody")
    group, name = scene.group, scene.word("target")
    assert fastcgi.ask(control, "DELETE", f"/conversations/{group}/members/{name}")[0] == 200
    status, text = fastcgi.ask(control, "POST", f"/conversations/{group}/join", {"username": name})
    assert status == 403 and json.loads(text)["code"] == "removed"
