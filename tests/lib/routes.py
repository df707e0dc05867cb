"""The routes of imd, as openapi.json lists them. A test compares that list with fcgi_app/routes.c.

Lists of requests in tests are derived from this one, or compared with it, so that a new route cannot be forgotten.
"""
import re

from contract import DOCUMENT

# (method, path, whether it takes a body), with {id}, {emoji} and {name} in the path.
ROUTES = [(method.upper(), path, "requestBody" in operation) for path, item in DOCUMENT["paths"].items()
          for method, operation in item.items() if method != "parameters"]
PATHS = list(DOCUMENT["paths"])


def allowed(path):
    """The methods that a path allows. HEAD is allowed where GET is."""
    methods = {method for method, of, _ in ROUTES if of == path}
    return methods | {"HEAD"} if "GET" in methods else methods


def pattern(path):
    """Matches requests to this path, with its parameters filled in, or in braces under any name."""
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + r"/?(\?.*)?")


def missing(routes, requests):
    """Returns the routes, as "METHOD path", that none of the requests (pairs of method and path) matches."""
    return [f"{method} {path}" for method, path, *_ in routes
            if not any(method == asked and pattern(path).fullmatch(target) for asked, target in requests)]
