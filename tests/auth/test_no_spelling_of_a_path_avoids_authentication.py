"""Anonymous callers are refused, however they spell the path, the method or a user name."""
import itertools
import json
import socket

import pytest

from api import TIMEOUT_S
from contract import DOCUMENT

PUBLIC = {"/healthz", "/openapi.json"}
OPERATIONS = [(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item
              if method != "parameters" and path not in PUBLIC]


def spellings(path):
    """Returns spellings of the same path, or nearly the same."""
    head, _, tail = path.rpartition("/")
    yield from (path, path + "/", path + "//", "/" + path, path.replace("/", "//"), path + "/.", f"/x/..{path}",
                f"/.{path}",
                f"{head}/%{ord(tail[0]):02x}{tail[1:]}", path.upper(), path + "?", path + "?username=ann", path + "#",
                path + ";x",
                path + "%00", path + "%20", path + ".json", f"/healthz/..{path}", f"/healthz/../..{path}",
                f"/healthz%2f..{path}",
                f"http://127.0.0.1{path}", f"/_imd{path}", "/_imd_sub/ann", f"/healthz{path}", path.replace("/", "%2f"),
                path.replace("/", "\\"), f"/openapi.json?{path}", f"/healthz?IMD_PATH={path}&IMD_PATH=/healthz")


def status(stack, method, target, headers, body):
    """Returns the status only, because the answer may be about another path than the one written."""
    head = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Length: {len(body)}",
            *headers]
    with socket.create_connection(("127.0.0.1", stack.port), timeout=TIMEOUT_S) as connection:
        connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        return int(connection.makefile("rb").readline().split()[1])


# Headers that some servers take for another path, method or user.
DISGUISES = [[], ["X-Original-URL: /healthz", "X-Rewrite-URL: /healthz", "IMD-Path: /healthz", "IMD_PATH: /healthz"],
             ["X-HTTP-Method-Override: GET"], ["X-Accel-Redirect: /_imd_sub/ann"]]


@pytest.mark.parametrize("method, path", OPERATIONS)
def test_anonymous_callers_are_refused_however_the_path_is_spelled(verified, method, path):
    member = verified.person()
    group = member.group()
    said = member.say(group).ok["id"]
    path = path.replace("{name}", member.name).replace("{emoji}", "x")
    path = path.replace("{id}", str(said if path.startswith("/messages") else group))
    body = json.dumps({"username": member.name, "conversation_id": group, "type": "group_chat", "members": ["ann"],
                       "seq": 1,
                       "title": "x", "content": "x"}).encode()
    with verified.nothing_changes():
        for spelled in spellings(path):
            for verb, headers in itertools.product({method, "HEAD", "get"} if method == "GET" else {method}, DISGUISES):
                found = status(verified.door, verb, spelled, headers, body)
                assert found >= 400 or spelled.split("?")[0] in PUBLIC, (verb, spelled, headers, found)
