"""
A stranger sends every request that names a conversation, a message or a seq, with every spelling that could be taken
for the id of a private chat: numbers that wrap to it, signs, blanks, digits of other scripts, numbers that are not
integers, repeated parameters. No answer contains a secret of the chat, in its body or its headers. None is a 5xx, and
the database is unchanged.

In mode none everybody may read the chat by its own id, so the test does not use that id there.
"""
import itertools
import re
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from api import new_name
from contract import DOCUMENT

SECRET = "the moon is made of cheese"
TITLE = "cheese club"

# A spelling replaces <conversation>, <message> and <seq>; <own> is a group of the stranger,
# <stranger> their name.
PLACES = [
    "GET /messages?conversation_id=<conversation>",
    "GET /messages?conversation_id=<conversation>&after=1&limit=5",
    "GET /messages?conversation_id=<conversation>&after_seq=0",
    "GET /messages?conversation_id=<conversation>&before_seq=9",
    "GET /messages?conversation_id=<conversation>&around_seq=1",
    "GET /messages?conversation_id=<conversation>&username=<stranger>",
    "GET /messages?conversation_id=<own>&conversation_id=<conversation>&after_seq=0",
    "GET /messages?conversation_id[]=<conversation>&conversation_id=<own>&after_seq=0",
    "GET /messages?conversation_id=<own>&after_seq=<seq>",
    "GET /messages?conversation_id=<own>&before_seq=<seq>",
    "GET /messages?conversation_id=<own>&around_seq=<seq>",
    "GET /messages/<message>",
    'PATCH /messages/<message> {"username": "<stranger>", "content": "new"}',
    "DELETE /messages/<message>?username=<stranger>",
    "PUT /messages/<message>/reactions/👍?username=<stranger>",
    "DELETE /messages/<message>/reactions/👍?username=<stranger>",
    "DELETE /messages/<message>/reactions/👍?username=<stranger>&all=true",
    "GET /messages/<message>/reactions?emoji=👍",
    'POST /messages {"username": "<stranger>", "content": "hi", "conversation_id": <conversation>}',
    'POST /messages {"username": "<stranger>", "content": "hi", "conversation_id": <own>, '
    '"conversation_id": <conversation>}',
    'POST /messages {"username": "<stranger>", "content": "hi", "conversation_id": <own>, "reply_to": <message>}',
    "GET /conversations?id=<conversation>",
    "GET /conversations?id=<own>&id=<conversation>",
    "GET /conversations?id=<conversation>&username=<stranger>",
    'PATCH /conversations/<conversation> {"username": "<stranger>", "title": "ours"}',
    'POST /conversations/<conversation>/join {"username": "<stranger>"}',
    'POST /conversations/<conversation>/leave {"username": "<stranger>"}',
    'PUT /conversations/<conversation>/members/<stranger> {"username": "<stranger>"}',
    "DELETE /conversations/<conversation>/members/<stranger>?username=<stranger>",
    'PUT /conversations/<conversation>/read {"username": "<stranger>", "seq": 1}',
    'PUT /conversations/<own>/read {"username": "<stranger>", "seq": <seq>}',
    "GET /conversations/<conversation>/changes",
    "GET /conversations/<conversation>/changes?after=1&username=<stranger>",
    'POST /conversations/<conversation>/typing {"username": "<stranger>"}',
    "GET /conversations/<conversation>/presence",
    "GET /conversations/<conversation>/members",
]

SPELLED = re.compile("<(conversation|message|seq)>")


def wrapping(number):
    """Other numbers that become `number` by some truncation, sign or shift."""
    powers = [2 ** bits for bits in (16, 31, 32, 33, 48, 62, 63, 64, 65, 96)]
    found = [number + sign * power for power in powers for sign in (1, -1)]
    found += [-number, number * 2 ** 32, (number << 32) | 1, number - 2 ** 128]
    return [*found, 0, 2 ** 31, 2 ** 63 - 1, 2 ** 63, 10 ** 400]


def digits(number, zero):
    """The number in the digits of the script whose zero is that character."""
    return "".join(chr(ord(zero) + int(digit)) for digit in str(number))


def spellings_in_an_address(number):
    """Percent-encoded where they must be."""
    texts = [*map(str, wrapping(number)), f"+{number}", f"-{number}", f" {number}", f"{number} ", f"{number}\n",
             f"\t{number}", f"{number}.", f"{number}.0", f"{number}.9", f"{number}e0", f"{number}E0",
             f"{number * 10}e-1", f"0x{number:x}", f"0b{number:b}", f"0o{number:o}", f"{number}_0", f"1_{number}", f"{number},0",
             f"{number},{number}", f"{number};", f"[{number}]", f"({number})", f'"{number}"', f"'{number}'",
             f"{number}L", f"{number}n", f"{number}a", f"a{number}", f"{number}\u200b", f"\ufeff{number}", f"\u2212{number}",
             f"{number} OR 1=1", "*", "%", "_", "null", "true", "false", "NaN", "Infinity", "undefined", "None"]
    texts += [digits(number, zero) for zero in "٠०０𝟎"] + ["¹" if number == 1 else f"{number}²", "①", "Ⅰ"]
    raw = [f"%20{number}", f"{number}%00", f"%00{number}", f"%2B{number}", f"+{number}", f"%25{ord(str(number)[0]):x}",
           f"{number}%0d%0a", f"{number}%ff", f"{number}%c0%80"]
    return sorted({quote(text, safe="") for text in texts} | set(raw))


def spellings_in_a_body(number):
    """As JSON, or as something that is not JSON."""
    return [*map(str, wrapping(number)), f"{number}.0", f"{number}.5", f"{number}e0", f"{number}E+0",
            f"{number * 10}e-1", f'"{number}"', f'" {number}"', f"[{number}]", f"[[{number}]]", f'{{"id": {number}}}',
            f"+{number}", f"0{number}", f"0x{number:x}", f"{number}_0", "true", "false", '""', "[]", "{}", "NaN", "-0",
            "1e400", f"{number} {number}", f"{number},", digits(number, "٠"), f'"{digits(number, "０")}"',
            f'"\\u003{str(number)[0]}"']


@pytest.fixture(scope="module")
def scenes():
    return {}


def make_scene(site):
    """A chat with a secret, and a stranger with a group of their own."""
    api = site.setter
    alice, stranger = new_name("alice_moon"), new_name("stranger")
    own = api.group(stranger)
    # The chat's id has every bit of the group's: a seq that is too wide would turn the group's
    # place into the chat's.
    chat, bob = next((chat, bob) for bob in (new_name("bob_moon") for _ in itertools.count())
                     if (chat := api.private(alice, bob)) & own == own)
    message = api.send(chat, alice, SECRET)["id"]
    api.send(chat, bob, SECRET)
    api.retitle(chat, alice, TITLE)
    api.react(message, bob, "🧀")
    api.send(own, stranger)
    return SimpleNamespace(chat=chat, message=message, own=own, stranger=stranger,
                           headers=site.credentials(stranger, False),
                           secrets=[text.encode() for text in (SECRET, TITLE, "🧀", alice, bob)])


@pytest.fixture
def scene(request, scenes):
    """One scene for each site."""
    name = "any_site" if "any_site" in request.fixturenames else "verified"
    site = request.getfixturevalue(name)
    if site.mode not in scenes:
        scenes[site.mode] = make_scene(site)
    return scenes[site.mode]


def number_of(scene, kind):
    """The number to spell. For a seq: the place of the chat's first message."""
    return {"conversation": scene.chat, "message": scene.message, "seq": scene.chat << 32 | 1}[kind]


def spellings(scene, place, kind):
    number = number_of(scene, kind)
    if f"<{kind}>" in place.partition(" {")[2]:
        return spellings_in_a_body(number)
    doubled = [str(number)] if place.count("conversation_id") > 1 else []
    in_path = f"=<{kind}>" not in place
    # nginx itself refuses a NUL in a path, before imd is asked.
    return [text for text in spellings_in_an_address(number) if not (in_path and "%00" in text)] + doubled


def ask(site, scene, place, kind, spelling):
    """Inserts the spelling as it is; everything else is encoded here."""
    said = place.replace("<own>", str(scene.own)).replace("<stranger>", scene.stranger)
    line, brace, body = said.partition(" {")
    method, target = line.split(" ", 1)
    target = quote(target, safe="/?=&<>[]").replace(f"<{kind}>", spelling)
    body = (brace[1:] + body).replace(f"<{kind}>", spelling)
    headers = {**scene.headers, "Content-Type": "application/json"} if body else scene.headers
    return site.api.request(method, target, body.encode() or None, headers)


def leaks(scene, answer):
    told = answer.body + str(answer.headers).encode()
    return [secret for secret in scene.secrets if secret in told]


def allowed(place, kind):
    """Returns the statuses allowed for a request that names something that does not exist, or nothing at all."""
    if f"<{kind}>" in place.partition(" {")[2]:
        return {400} if kind != "seq" else {200, 400}
    return {200, 400} if f"=<{kind}>" in place else {400, 404}


@pytest.mark.parametrize("place", PLACES)
def test_no_spelling_reveals_anything_to_a_stranger(any_site, scene, place):
    (kind,) = SPELLED.findall(place)
    wrong = []
    before = any_site.books.read() if "/read" not in place or kind != "seq" else None
    for spelling in spellings(scene, place, kind):
        answer = ask(any_site, scene, place, kind, spelling)
        if answer.status not in allowed(place, kind) or leaks(scene, answer):
            wrong.append(f"{spelling[:40]} -> {answer}")
    assert not wrong, "\n".join(["", *wrong])
    assert before is None or any_site.books.read() == before, "refused, and the database has changed"


@pytest.mark.parametrize("place", [place for place in PLACES if "<seq>" not in place and "username=" not in place])
def test_the_id_itself_is_refused_with_and_without_leading_zeros(verified, scene, place):
    """This shows that the requests of the test above reach the chat: they are refused as for a non-member."""
    (kind,) = SPELLED.findall(place)
    in_body = f"<{kind}>" in place.partition(" {")[2]
    number = number_of(scene, kind)
    with verified.nothing_changes():
        for spelling in [str(number)] + ([] if in_body else [f"0{number}", f"000000{number}"]):
            answer = ask(verified, scene, place, kind, spelling)
            assert answer.status in ({200, 400} if "<own>" in place else {403}), (spelling, answer)
            assert not leaks(scene, answer), (spelling, answer)


def properties(schema):
    """The properties of a request body, with references resolved."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema.get("properties", {})


def test_every_id_in_openapi_json_is_covered():
    asked = set()
    for place in PLACES:
        method, target = place.split(" ")[:2]
        path = re.sub("^(/[a-z]+)/<[a-z]+>", r"\1/{id}", target.partition("?")[0])
        path = path.replace("/members/<stranger>", "/members/{name}").replace("/👍", "/{emoji}")
        kind = SPELLED.search(place)[1]
        before = place[:SPELLED.search(place).start()]
        name = re.search(r'(\w+)(?:\[\])?(?:=|": )$', before)
        asked.add((method, path, name[1] if name else "{id}"))
        assert kind
    told = set()
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            if "{id}" in path:
                told.add((method.upper(), path, "{id}"))
            told |= {(method.upper(), path, parameter["name"]) for parameter in operation.get("parameters", [])
                     if re.fullmatch("id|.*_id|.*_seq", parameter.get("name", ""))}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            told |= {(method.upper(), path, name) for name in properties(body)
                     if name in ("conversation_id", "reply_to", "seq")}
    assert told <= asked, told - asked
