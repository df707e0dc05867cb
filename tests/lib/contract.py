"""
Compares answers and pushes with fcgi_app/openapi.json.

Every client of the suite passes what it reads through check() or check_frame(). So the status, the headers and each
member of the body are checked, whatever else a test looks at.
"""
import functools
import json
import re
from urllib.parse import unquote

from jsonschema import Draft202012Validator, exceptions, validators

from stack import ROOT

DOCUMENT = json.loads((ROOT / "fcgi_app/openapi.json").read_text())


# -- the document with its references resolved, so that they need not be looked up for every answer

@functools.cache
def named(reference):
    value = DOCUMENT
    for key in reference.removeprefix("#/").split("/"):
        value = value[key]
    return expanded(value)


def expanded(value):
    if isinstance(value, list):
        return [expanded(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    beside = {key: expanded(entry) for key, entry in value.items() if key not in ("$ref", "description")}
    if "$ref" not in value:
        return {key: beside.get(key, value[key]) for key in value}
    return {"allOf": [named(value["$ref"])], **beside} if beside else named(value["$ref"])


# -- validating

_seen = set()  # entries of lists that were found valid


def _items(validator, schema, entries, _):
    """Pages and frames repeat the same entries, so each is validated once."""
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        key = id(schema), hash(repr(entry))
        if key in _seen:
            continue
        errors = list(validator.descend(entry, schema, path=index))
        yield from errors
        if not errors:
            _seen.add(key)


def _one_of(validator, choices, instance, schema):
    """Like the library's, but its error is about the intended choice: what it lacks, not that none fits."""
    if "discriminator" in schema:
        name = instance.get(schema["discriminator"]["propertyName"]) if isinstance(instance, dict) else None
        choice = schema["discriminator"]["mapping"].get(name)
        choices = [named(choice)] if choice else [False]
    fitting = [choice for choice in choices if validator.evolve(schema=choice).is_valid(instance)]
    if len(fitting) > 1:
        yield exceptions.ValidationError("fits more than one of several")
    elif not fitting:
        yield from min((list(validator.descend(instance, choice)) for choice in choices), key=len)


TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
         "null": type(None)}


class Validator(validators.extend(Draft202012Validator, {"items": _items, "oneOf": _one_of})):
    """The library's, without its slowest parts: at every step it looks up the draft and the type."""

    def evolve(self, **changes):
        other = object.__new__(Validator)
        vars(other).update(vars(self), **changes)
        return other

    def is_type(self, instance, type):
        return isinstance(instance, TYPES[type]) and (type == "boolean" or not isinstance(instance, bool))


def _assert_valid(validator, value, what):
    if validator.is_valid(value):
        return
    error = exceptions.best_match(validator.iter_errors(value))
    fault = f"{error.json_path}: {error.message[:300]}"
    raise AssertionError(f"{what}, unlike openapi.json: {fault}; in {str(value)[:700]}")


# -- operations

class Answer:
    """One answer that an operation may return."""

    def __init__(self, response):
        self._headers = [(name.lower(), header.get("required", False), Validator(header["schema"]))
                         for name, header in response.get("headers", {}).items()]
        self._bodies = {content: Validator(media["schema"]) for content, media in response.get("content", {}).items()}

    def check(self, what, headers, body):
        for name, required, validator in self._headers:
            value = headers.get(name)
            assert value is not None or not required, f"{what} without {name}"
            if value is not None:
                number = validator.schema["type"] == "integer" and value.isdecimal()
                _assert_valid(validator, int(value) if number else value, f"{what} with {name}")
        if self._bodies:
            self._check_body(what, headers.get("content-type", ""), body)

    def _check_body(self, what, content_type, body):
        content = next((each for each in self._bodies if f"{content_type};".startswith(f"{each};")), None)
        assert content, f"{what} with {content_type!r}, not with any of {list(self._bodies)}"
        if body is not None and content.endswith("json"):
            _assert_valid(self._bodies[content], json.loads(body), what)


PROBLEM = "application/problem+json"
# Statuses that any request may get, as the document's default says. Others must be declared by the
# operation, with their codes.
ANYWHERE = {405, 413, 414, 429, 431, 500, 502, 503, 504}
_any_problem = Answer(named("#/components/responses/Problem"))


def _operations(item):
    """Returns {method: {status: answer}}."""
    return {method.upper(): {status: Answer(response) for status, response in operation["responses"].items()}
            for method, operation in item.items() if method != "parameters"}


def _pattern(path):
    return re.compile("/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in path.split("/")))


PATHS = [(_pattern(path), _operations(item)) for path, item in expanded(DOCUMENT["paths"]).items()]


def _answers(method, target):
    """Returns {status: answer} of the operation at this path; None if the path is not imd's."""
    path = re.sub("/+", "/", unquote(target.split("?")[0])).removesuffix("/")
    for pattern, operations in PATHS:
        if pattern.fullmatch(path):
            return operations.get("GET" if method == "HEAD" else method, {})
    return None


def check(method, target, status, headers, body):
    """Asserts that the document allows this answer. `target` is below the prefix."""
    what = f"{method} {target[:200]} answered {status}"
    headers = {name.lower(): value for name, value in headers.items()}
    if (method, status) == ("OPTIONS", 204):
        return  # a preflight, which nginx answers
    is_problem = headers.get("content-type") == PROBLEM
    answers = _answers(method, target)
    if answers is None and not is_problem:
        return  # another site's path
    answer = (answers or {}).get(str(status))
    if answer is None and status >= 400 and (not answers or status in ANYWHERE):
        answer = _any_problem
    assert answer, f"{what}, of which openapi.json says nothing"
    answer.check(what, headers, None if method == "HEAD" else body)
    if method != "HEAD" and is_problem:
        problem = json.loads(body)
        assert (problem["status"], problem["request_id"]) == (status, headers["x-request-id"]), f"{what} {problem}"


_frame = Validator(named("#/components/schemas/PushFrame"))


def check_frame(text):
    """Asserts that this is a frame as the document describes them."""
    _assert_valid(_frame, json.loads(text), "pushed")
