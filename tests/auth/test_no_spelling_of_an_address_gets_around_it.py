"""Whoever nobody is, and however they write what they ask for."""
import pytest

from api import raw_request
from contract import DOCUMENT

PUBLIC = {"/healthz", "/openapi.json"}
OPERATIONS = [(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item
              if method != "parameters" and path not in PUBLIC]


def spellings(path):
    """The same address, or nearly."""
    head, _, tail = path.rpartition("/")
    yield from (path, path + "/", path + "//", "/" + path, path.replace("/", "//"), path + "/.", f"/x/..{path}", f"/.{path}",
                f"{head}/%{ord(tail[0]):02x}{tail[1:]}", path.upper(), path + "?", path + "?username=ann", path + "#", path + ";x",
                path + "%00", path + "%20", path + ".json", f"/healthz/..{path}", f"/healthz/../..{path}", f"/healthz%2f..{path}",
                f"http://127.0.0.1{path}", f"/_imd{path}", "/_imd_sub/ann", f"/healthz{path}", path.replace("/", "%2f"),
                path.replace("/", "\\"), f"/openapi.json?{path}", f"/healthz?IMD_PATH={path}&IMD_PATH=/healthz")


@pytest.mark.parametrize("method, path", OPERATIONS)
def test_it(verified, method, path):
    member = verified.person()
    group = member.group()
    said = member.say(group).ok["id"]
    path = path.replace("{name}", member.name).replace("{emoji}", "x")
    path = path.replace("{id}", str(said if path.startswith("/messages") else group))
    body = b'{"username":"%s","conversation_id":%d,"type":"group_chat","members":["ann"],"seq":1,"title":"x","content":"x"}' \
        % (member.name.encode(), group)
    with verified.nothing_changes():
        for spelled in spellings(path):
            for how in ([], [b"X-Original-URL: /healthz", b"X-Rewrite-URL: /healthz", b"IMD-Path: /healthz", b"IMD_PATH: /healthz"],
                        [b"X-HTTP-Method-Override: GET"], [b"X-Accel-Redirect: /_imd_sub/ann"]):
                for verb in {method, "HEAD", "get"} if method == "GET" else {method}:
                    answer = raw_request(verified.stack, verb.encode(), spelled.encode(),
                                         [*how, b"Content-Length: %d" % len(body), b"Content-Type: application/json"], body)
                    public = spelled.split("?")[0] in PUBLIC
                    assert answer.status >= 400 or public, (verb, spelled, answer)
