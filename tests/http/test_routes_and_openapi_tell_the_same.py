"""
openapi.json is written by hand. It must list exactly the routes and the error codes of the code, except the routes of
the control socket, which no client can reach.
"""
import re

from contract import DOCUMENT, PROBLEM, expanded
from stack import ROOT

OPERATIONS = [(method.upper(), path, operation) for path, item in expanded(DOCUMENT["paths"]).items()
              for method, operation in item.items() if method != "parameters"]


def test_openapi_lists_the_routes_and_their_bodies():
    table = (ROOT / "fcgi_app/routes.c").read_text().split("routes[] = {\n")[1].split("\n};")[0]
    rows = re.findall(r'^ *\{"([A-Z]+)", "([^"]+)",\s+api_\w+,\s+(\w+),\s+[A-Z_ |]+\},$', table, re.M)
    hidden = re.findall(r'^ *\{"[A-Z]+", "/control/\w+",\s+api_\w+,\s+\w+,\s+FOR_CONTROL\},$', table, re.M)
    rows = [row for row in rows if not row[1].startswith("/control/")]
    assert len(rows) + len(hidden) == table.count("api_"), table
    assert sorted((method, path, length != "0") for method, path, length in rows) \
        == sorted((method, path, "requestBody" in operation) for method, path, operation in OPERATIONS)


def codes(schema):
    return {code for one in (schema, *schema.get("anyOf", ())) for code in one.get("enum", {one.get("const")} - {None})}


def test_openapi_lists_the_codes_of_problems():
    known = set(re.findall(r'\{([45]\d\d),\s*"(\w+)"', (ROOT / "fcgi_app/api/problem.c").read_text()))
    known |= {(status, code) for code, status in
              re.findall(r'"code":"(\w+)","status":(\d+)', (ROOT / "nginx/imd-server.conf").read_text())}
    told = {(status, code) for _, _, operation in OPERATIONS for status, response in operation["responses"].items()
            if PROBLEM in response.get("content", {})
            for code in codes(response["content"][PROBLEM]["schema"]["properties"]["code"])}
    assert {pair for pair in told if pair[0] != "default"} <= known
    assert {code for _, code in told} == {code for _, code in known}
