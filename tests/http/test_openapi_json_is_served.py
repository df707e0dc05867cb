"""Other tests check that openapi.json describes what imd answers, and a linter checks its form."""
import pytest

from stack import ROOT


@pytest.mark.parametrize("path", ["/openapi.json", "/openapi.json/", "/openapi.json?x=1"])
def test_openapi_json_is_served_as_it_is_in_the_tree(api, nothing_changes, path):
    answer = api.get(path)
    assert answer.ok["openapi"].startswith("3.1.")
    assert answer.headers["Content-Type"] == "application/json"
    is_the_same = answer.body.rstrip() == (ROOT / "fcgi_app/openapi.json").read_bytes().rstrip()
    assert is_the_same, "not the one in the tree: was imd built since?"
