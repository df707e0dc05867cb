"""
The table of permissions. Each cell is one request of one caller in a scene of its own. A refused request changes
nothing.

<who> in a request is the caller's name. Authenticated callers may omit it: each such request is made both ways, and
must be answered alike. <me> is the same name, never omitted. <another> is a member who is not the caller. scene.py
describes the others. In mode none an administrator is like any caller, and a name is enough.
"""
import json
import re
from urllib.parse import quote

import pytest

import handshake
from routes import ROUTES
from scene import Scene

CALLERS = ("nobody", "self", "member", "left", "removed", "other", "new", "admin")

# The words of the table. A number is a status with any code; "-" is not tested.
WORDS = {
    "member": (403, "not_a_member"),
    "sender": (403, "not_the_sender"),
    "yourself": (403, "not_yourself"),
    "role": (403, "role_required"),
    "admin": (403, "not_an_admin"),
    "invite": (403, "invite_only"),
    "removed": (403, "removed"),
    "private": (403, "private_chat"),
    "401": (401, "missing_credentials"),
}

# The request; then the answer to each of CALLERS: in mode none, and where callers are
# authenticated.
TABLE = [
    # -- messages: those a user received, and those of a conversation
    ("GET /messages?username=<who>",
     "400  200    200    200      200      200      200      200",
     "401  200    200    200      200      200      200      200"),
    ("GET /messages",
     "400  400    400    400      400      400      400      400",
     "401  200    200    200      200      200      200      200"),
    ("GET /messages?username=<another>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ("GET /messages?conversation_id=<group>",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /messages?conversation_id=<private>&after_seq=0",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /messages?conversation_id=<unknown>",
     "200  200    200    200      200      200      200      200",
     "401  200    200    200      200      200      200      200"),
    ("GET /messages?conversation_id=<group>&username=<me>",
     "200  200    200    200      200      200      200      200",
     "401  200    200    200      200      200      200      200"),
    ("GET /messages?conversation_id=<group>&username=<another>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ("GET /messages/<message>",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /messages/<message>?username=<who>",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /messages/<message>?username=<another>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ("GET /messages/<unknown>",
     "404  404    404    404      404      404      404      404",
     "401  404    404    404      404      404      404      404"),

    # -- sending
    ('POST /messages {"conversation_id": <group>, "content": "hi", "username": "<who>"}',
     "400  200    200    member   member   member   400      member",
     "401  200    200    member   member   member   member   member"),
    ('POST /messages {"conversation_id": <group>, "content": "hi", "username": "<another>"}',
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ('POST /messages {"conversation_id": <group>, "content": "hi", "username": "<other>"}',
     "member member member member member   member   member   member",
     "401  yourself yourself yourself yourself member yourself member"),
    ('POST /messages {"conversation_id": <unknown>, "content": "hi", "username": "<who>"}',
     "400  400    400    400      400      400      400      400",
     "401  400    400    400      400      400      400      400"),

    # -- editing: only by the sender, who must still be a member
    ('PATCH /messages/<message> {"content": "new", "username": "<who>"}',
     "400  200    sender sender   sender   sender   sender   sender",
     "401  200    sender sender   sender   sender   sender   sender"),
    ('PATCH /messages/<lefts_message> {"content": "new", "username": "<who>"}',
     "400  sender sender member   sender   sender   sender   sender",
     "401  sender sender member   sender   sender   sender   sender"),
    ('PATCH /messages/<removeds_message> {"content": "new", "username": "<who>"}',
     "400  sender sender sender   member   sender   sender   sender",
     "401  sender sender sender   member   sender   sender   sender"),
    ('PATCH /messages/<removeds_message> {"content": "new", "username": "<removed>"}',
     "member member member member member   member   member   member",
     "401  yourself yourself yourself member yourself yourself member"),
    ('PATCH /messages/<message> {"content": "new", "username": "<self>"}',
     "200  200    200    200      200      200      200      200",
     "401  200    yourself yourself yourself yourself yourself 200"),

    # -- deleting: by the sender, and by admins and owners
    ("DELETE /messages/<message>?username=<who>",
     "400  200    sender sender   sender   sender   sender   sender",
     "401  200    sender sender   sender   sender   sender   200"),
    ("DELETE /messages/<members_message>?username=<who>",
     "400  200    200    sender   sender   sender   sender   sender",
     "401  200    200    sender   sender   sender   sender   200"),
    ("DELETE /messages/<lefts_message>?username=<who>",
     "400  200    sender 200      sender   sender   sender   sender",
     "401  200    sender 200      sender   sender   sender   200"),
    ("DELETE /messages/<removeds_message>?username=<who>",
     "400  200    sender sender   200      sender   sender   sender",
     "401  200    sender sender   200      sender   sender   200"),
    ("DELETE /messages/<ownerless_message>?username=<who>",
     "400  sender 200    sender   sender   sender   sender   sender",
     "401  sender 200    sender   sender   sender   sender   200"),
    ("DELETE /messages/<message>?username=<other>",
     "sender sender sender sender sender   sender   sender   sender",
     "401  yourself yourself yourself yourself sender yourself sender"),
    ("DELETE /messages/<message>?username=<self>",
     "200  200    200    200      200      200      200      200",
     "401  200    yourself yourself yourself yourself yourself 200"),

    # -- reactions
    ("PUT /messages/<message>/reactions/👍?username=<who>",
     "400  200    200    member   member   member   member   member",
     "401  200    200    member   member   member   member   member"),
    ("PUT /messages/<message>/reactions/👍?username=<another>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ("PUT /messages/<lefts_message>/reactions/👍?username=<who>",
     "400  200    200    member   member   member   member   member",
     "401  200    200    member   member   member   member   member"),
    ("PUT /messages/<removeds_message>/reactions/👍?username=<who>",
     "400  200    200    member   member   member   member   member",
     "401  200    200    member   member   member   member   member"),
    ("DELETE /messages/<message>/reactions/👍?username=<who>",
     "400  200    200    member   member   member   member   member",
     "401  200    200    member   member   member   member   member"),
    ("DELETE /messages/<message>/reactions/👍?username=<another>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ("GET /messages/<message>/reactions?emoji=👍",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /messages/<message>/reactions?emoji=👍&username=<who>",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /messages/<message>/reactions?emoji=👍&username=<another>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ("GET /messages/<message>/reactions?emoji=👍&username=<other>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself member yourself member"),
    ("GET /messages/<unknown>/reactions?emoji=👍",
     "404  404    404    404      404      404      404      404",
     "401  404    404    404      404      404      404      404"),
    # Clearing: by users who may delete the message; its sender must still be a member.
    ("DELETE /messages/<message>/reactions/👍?all=true&username=<who>",
     "400  200    sender sender   sender   sender   sender   sender",
     "401  200    sender sender   sender   sender   sender   200"),
    ("DELETE /messages/<members_message>/reactions/👍?all=true&username=<who>",
     "400  200    200    sender   sender   sender   sender   sender",
     "401  200    200    sender   sender   sender   sender   200"),
    ("DELETE /messages/<lefts_message>/reactions/👍?all=true&username=<who>",
     "400  200    sender member   sender   sender   sender   sender",
     "401  200    sender member   sender   sender   sender   200"),

    # -- conversations: reading
    ("GET /conversations?id=<group>",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /conversations?id=<private>",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /conversations?id=<unknown>",
     "200  200    200    200      200      200      200      200",
     "401  200    200    200      200      200      200      200"),
    ("GET /conversations?username=<who>",
     "200  200    200    200      200      200      200      200",
     "401  200    200    200      200      200      200      200"),
    ("GET /conversations?username=<another>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ("GET /conversations?id=<group>&username=<another>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ("GET /conversations/<group>/changes",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /conversations/<group>/changes?username=<me>",
     "200  200    200    member   member   member   member   member",
     "401  200    200    member   member   member   member   200"),
    ("GET /conversations/<group>/changes?username=<another>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ("GET /conversations/<group>/changes?username=<other>",
     "member member member member member   member   member   member",
     "401  yourself yourself yourself yourself member yourself member"),
    ("GET /conversations/<unknown>/changes",
     "404  404    404    404      404      404      404      404",
     "401  404    404    404      404      404      404      404"),
    ("GET /conversations/<group>/presence",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /conversations/<group>/presence?username=<who>",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /conversations/<group>/presence?username=<another>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ("GET /conversations/<group>/presence?username=<other>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself member yourself member"),

    ("GET /conversations/<group>/members",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /conversations/<group>/members?username=<who>",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /conversations/<group>/members?username=<another>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ("GET /conversations/<group>/members?username=<other>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself member yourself member"),
    ("GET /conversations/<private>/members",
     "200  200    200    200      200      200      200      200",
     "401  200    200    member   member   member   member   200"),
    ("GET /conversations/<unknown>/members",
     "404  404    404    404      404      404      404      404",
     "401  404    404    404      404      404      404      404"),

    # -- conversations: creating
    ('POST /conversations {"type": "group_chat", "members": ["<target>"], "username": "<who>"}',
     "200  200    200    200      200      200      200      200",
     "401  200    200    200      200      200      200      200"),
    ('POST /conversations {"type": "group_chat", "members": ["<target>"], "username": "<another>"}',
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ('POST /conversations {"type": "private_chat", "members": ["<target>", "<me>"]}',
     "200  200    200    200      200      200      200      200",
     "401  200    200    200      200      200      200      200"),
    ('POST /conversations {"type": "private_chat", "members": ["<target>"], "username": "<me>"}',
     "200  200    200    200      200      200      200      200",
     "401  200    200    200      200      200      200      -"),
    ('POST /conversations {"type": "private_chat", "members": ["<target>", "<newcomer>"]}',
     "200  200    200    200      200      200      200      200",
     "401  400    400    400      400      400      400      200"),

    ('POST /conversations {"type": "group_chat", "members": [], "title": "Tea", "client_id": "<unnamed>", "username": "<who>"}',
     "200  200    200    200      200      200      200      200",
     "401  200    200    200      200      200      200      200"),

    # -- conversations: changing
    ('PATCH /conversations/<group> {"title": "Tea", "username": "<who>"}',
     "400  200    role   member   member   member   member   member",
     "401  200    role   member   member   member   member   200"),
    ('PATCH /conversations/<ownerless> {"title": "Tea", "username": "<who>"}',
     "400  200    200    member   member   member   member   member",
     "401  200    200    member   member   member   member   200"),
    ('PATCH /conversations/<private> {"title": "Tea", "username": "<who>"}',
     "400  200    200    member   member   member   member   member",
     "401  200    200    member   member   member   member   200"),
    ('PATCH /conversations/<group> {"title": "Tea", "username": "<self>"}',
     "200  200    200    200      200      200      200      200",
     "401  200    yourself yourself yourself yourself yourself 200"),
    ('PATCH /conversations/<group> {"title": "Tea", "username": "<member>"}',
     "role role   role   role     role     role     role     role",
     "401  yourself role yourself yourself yourself yourself role"),
    ('PATCH /conversations/<group> {"join": "invite", "username": "<who>"}',
     "400  200    role   member   member   member   member   member",
     "401  200    role   member   member   member   member   200"),
    ('PATCH /conversations/<ownerless> {"join": "invite", "username": "<who>"}',
     "400  role   role   member   member   member   member   member",
     "401  role   role   member   member   member   member   200"),

    # -- joining and leaving
    ('POST /conversations/<group>/join {"username": "<who>"}',
     "404  200    200    200      removed  200      404      200",
     "401  200    200    200      removed  200      200      200"),
    ('POST /conversations/<invite>/join {"username": "<who>"}',
     "404  200    200    invite   403      invite   404      invite",
     "401  200    200    invite   403      invite   invite   200"),
    ('POST /conversations/<private>/join {"username": "<who>"}',
     "private private private private private private  private  private",
     "401  private private private private private  private  private"),
    ('POST /conversations/<group>/join {"username": "<newcomer>"}',
     "200  200    200    200      200      200      200      200",
     "401  200    200    403      403      403      403      200"),
    ('POST /conversations/<invite>/join {"username": "<newcomer>"}',
     "invite invite invite invite invite   invite   invite   invite",
     "401  200    200    403      403      403      403      invite"),
    ('POST /conversations/<group>/join {"username": "<removed>"}',
     "removed removed removed removed removed removed removed removed",
     "401  200    403    403      removed  403      403      removed"),
    ('POST /conversations/<group>/leave {"username": "<who>"}',
     "404  200    200    200      200      200      404      200",
     "401  200    200    200      200      200      200      200"),
    ('POST /conversations/<group>/leave {"username": "<another>"}',
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ('POST /conversations/<private>/leave {"username": "<who>"}',
     "private private private private private private  private  private",
     "401  private private private private private  private  private"),

    # -- reading and typing
    ('PUT /conversations/<group>/read {"seq": 1, "username": "<who>"}',
     "400  200    200    member   member   member   member   member",
     "401  200    200    member   member   member   member   member"),
    ('PUT /conversations/<group>/read {"seq": 1, "username": "<another>"}',
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),
    ('POST /conversations/<group>/typing {"username": "<who>"}',
     "400  202    202    member   member   member   member   member",
     "401  202    202    member   member   member   member   member"),
    ('POST /conversations/<group>/typing {"username": "<another>"}',
     "202  202    202    202      202      202      202      202",
     "401  yourself yourself yourself yourself yourself yourself 202"),

    # -- members: adding
    ('PUT /conversations/<group>/members/<newcomer> {"username": "<who>"}',
     "400  200    200    member   member   member   member   member",
     "401  200    200    member   member   member   member   200"),
    ('PUT /conversations/<group>/members/<unnamed> {"username": "<who>"}',
     "400  200    200    member   member   member   member   member",
     "401  200    200    member   member   member   member   200"),
    ('PUT /conversations/<private>/members/<unnamed> {"username": "<who>"}',
     "400  private private 403    403      403      403      403",
     "401  private private 403    403      403      403      403"),
    ('PUT /conversations/<invite>/members/<newcomer> {"username": "<who>"}',
     "400  200    200    member   member   member   member   member",
     "401  200    200    member   member   member   member   200"),
    ('PUT /conversations/<ownerless>/members/<newcomer> {"username": "<who>"}',
     "400  200    200    member   member   member   member   member",
     "401  200    200    member   member   member   member   200"),
    ('PUT /conversations/<private>/members/<newcomer> {"username": "<who>"}',
     "400  private private 403    403      403      403      403",
     "401  private private 403    403      403      403      403"),
    ('PUT /conversations/<group>/members/<removed> {"username": "<who>"}',
     "400  200    role   member   403      member   member   member",
     "401  200    role   member   403      member   member   200"),
    ('PUT /conversations/<group>/members/<newcomer> {"username": "<self>"}',
     "200  200    200    200      200      200      200      200",
     "401  200    yourself yourself yourself yourself yourself 200"),

    # -- members: roles
    ('PUT /conversations/<group>/members/<newcomer> {"role": "admin", "username": "<who>"}',
     "400  200    role   member   member   member   member   member",
     "401  200    role   member   member   member   member   200"),
    ('PUT /conversations/<group>/members/<member> {"role": "admin", "username": "<who>"}',
     "400  200    role   member   member   member   member   member",
     "401  200    role   member   member   member   member   200"),
    ('PUT /conversations/<group>/members/<member> {"role": "owner", "username": "<who>"}',
     "400  200    role   member   member   member   member   member",
     "401  200    role   member   member   member   member   200"),
    ('PUT /conversations/<ownerless>/members/<member> {"role": "owner", "username": "<who>"}',
     "400  role   role   member   member   member   member   member",
     "401  role   role   member   member   member   member   200"),

    # -- members: removing
    ("DELETE /conversations/<group>/members/<target>?username=<who>",
     "400  200    role   member   member   member   member   member",
     "401  200    role   member   member   member   member   200"),
    ("DELETE /conversations/<group>/members/<me>?username=<who>",
     "400  200    200    200      200      200      -        200",
     "401  200    200    200      200      200      -        200"),
    ("DELETE /conversations/<group>/members/<self>?username=<who>",
     "400  200    role   member   member   member   member   member",
     "401  200    role   member   member   member   member   200"),
    ("DELETE /conversations/<ownerless>/members/<target>?username=<who>",
     "400  role   role   member   member   member   member   member",
     "401  role   role   member   member   member   member   200"),
    ("DELETE /conversations/<private>/members/<member>?username=<who>",
     "400  private private 403    403      403      403      403",
     "401  private private 403    403      403      403      403"),
    ("DELETE /conversations/<group>/members/<target>?username=<self>",
     "200  200    200    200      200      200      200      200",
     "401  200    yourself yourself yourself yourself yourself 200"),

    # -- sockets
    ("WS /ws?username=<who>",
     "400  101    101    101      101      101      101      101",
     "401  101    101    101      101      101      101      101"),
    ("WS /ws?username=<another>",
     "101  101    101    101      101      101      101      101",
     "401  yourself yourself yourself yourself yourself yourself 101"),
    ("EVENTS /ws?username=<who>",
     "400  200    200    200      200      200      200      200",
     "401  200    200    200      200      200      200      200"),
    ("EVENTS /ws?username=<another>",
     "200  200    200    200      200      200      200      200",
     "401  yourself yourself yourself yourself yourself yourself 200"),

    # -- about imd itself
    ("GET /healthz",
     "200  200    200    200      200      200      200      200",
     "200  200    200    200      200      200      200      200"),
    ("GET /openapi.json",
     "200  200    200    200      200      200      200      200",
     "200  200    200    200      200      200      200      200"),
    ("GET /metrics",
     "200  200    200    200      200      200      200      200",
     "401  admin  admin  admin    admin    admin    admin    200"),
]

# A subscription is also a GET; a socket is opened in its own way.
SOCKETS = {"WS": handshake.UPGRADE, "EVENTS": {"Accept": "text/event-stream"}}


def outcome(word):
    return WORDS.get(word) or (int(word), None)


def without_name(request):
    return re.sub(r'(, )?"username": "<who>"|[?&]username=<who>', "", request)


def ask(site, scene, request):
    """Returns (status, code) of the answer."""
    said = re.sub(r"<(\w+)>", lambda found: str(scene.word(found[1])), request)
    method, target, body = (*said.split(" ", 2), "")[:3]
    target = quote(target, safe="/?=&")
    if method in SOCKETS:
        answer = handshake.request(site.door, target, {**SOCKETS[method], **scene.headers})
        return answer.status, json.loads(answer.body)["code"] if answer.status >= 400 else None
    headers = {**scene.headers, "Content-Type": "application/json"} if body else scene.headers
    answer = site.api.request(method, target, body.encode() or None, headers)
    if method == "GET":
        assert site.api.request("HEAD", target, None, headers).status == answer.status
    return answer.status, answer.json["code"] if answer.status >= 400 else None


def cells(site, request, row):
    """Returns [(form of the request, scene, expected)], those to be refused first."""
    found = []
    for caller, word in zip(CALLERS, row.split(), strict=True):
        forms = [without_name(request)] if caller == "nobody" and not site.verifies else [request]
        if site.verifies and without_name(request) != request:
            forms.append(without_name(request))
        if word != "-":
            found += [(f"{caller}: {form}", form, Scene(site, caller), outcome(word)) for form in forms]
    return sorted(found, key=lambda cell: cell[3][0] < 400)


@pytest.mark.parametrize("request_, none, verified", TABLE, ids=[row[0].replace("👍", "thumb") for row in TABLE])
def test_each_caller_is_answered_as_the_table_says(any_site, request_, none, verified):
    row = cells(any_site, request_, verified if any_site.verifies else none)
    for _, form, scene, _ in row:
        for name in re.findall(r"<(\w+)>", form):
            scene.word(name)
    wrong = []
    before = any_site.books.read()
    for how, form, scene, (status, code) in row:
        found = ask(any_site, scene, form)
        if found[0] != status or code not in (None, found[1]):
            wrong.append(f"{how} -> {found}, not {(status, code)}")
        elif status >= 400 and any_site.books.read() != before:
            wrong.append(f"{how} -> refused, and the database is another")
        before = any_site.books.read() if status >= 400 else None
    assert not wrong, "\n".join(["", *wrong])


def test_every_operation_of_openapi_json_has_a_row():
    listed = {(method, path) for method, path, _ in ROUTES}
    asked = set()
    for request, _, _ in TABLE:
        method, target = request.split(" ")[:2]
        path = re.sub(r"^(/(?:conversations|messages))/<\w+>", r"\1/{id}", target.split("?")[0])
        path = path.replace("👍", "{emoji}")
        path = re.sub(r"/members/<\w+>", "/members/{name}", path)
        asked.add(("GET" if method in SOCKETS else method, path))
    assert sorted(listed - asked) == [], "routes without a row in TABLE"
    assert sorted(asked - listed) == [], "rows of TABLE that openapi.json does not list"
