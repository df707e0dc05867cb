"""The chat page and the browser client: every file of the project, with strict headers, where the host wants it."""
import gzip

import pytest
import requests

from sites import Host
from stack import ROOT, Stack

FILES = sorted(path.name for path in (ROOT / "nginx/html").iterdir())
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "ts": "text/plain"}
APP = "https://app.example.com"


class Places:
    """One imd behind several servers."""

    def __init__(self, state):
        (state / "passwords").write_text("ann:{PLAIN}secret\n")
        stack = self.stack = Stack(state=state)
        self.plain = Host(stack)
        self.mounted = Host(stack, "set $imd_prefix /chat;")
        self.off = Host(stack, "set $imd_page off; location /im/ { return 200 'the host'; }")
        self.locked = Host(stack, f'auth_basic "members"; auth_basic_user_file {state}/passwords;')
        self.listed = Host(stack, f'set $imd_origins "{APP}";')


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    state = tmp_path_factory.mktemp("page")
    made = Places(state)
    # nginx's workers, which do not run as root, read the passwords.
    for directory in (state, *state.parents[:2]):
        directory.chmod(0o755)
    (state / "passwords").chmod(0o644)
    with made.stack:
        yield made


def get(place, path, **more):
    return requests.get(place.url + path, allow_redirects=False, timeout=10, **more)


def assert_guarded(answer):
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == "'self'"
    assert "unsafe" not in str(policy)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert len(answer.headers["X-Request-Id"]) == 32


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_served_as_it_is_in_the_tree(places, name):
    answer = get(places.plain, f"/im/{name}")
    assert answer.status_code == 200 and answer.content == (ROOT / "nginx/html" / name).read_bytes()
    assert answer.headers["Content-Type"] == f"{TYPES[name.rsplit('.', 1)[1]]}; charset=utf-8"
    assert_guarded(answer)
    assert "Access-Control-Allow-Origin" not in answer.headers
    again = get(places.plain, f"/im/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304 and not again.content


def test_long_files_are_compressed(places):
    answer = requests.get(f"{places.plain.url}/im/imd.js", headers={"Accept-Encoding": "gzip"}, stream=True, timeout=10)
    assert answer.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in answer.headers["Vary"]
    packed = answer.raw.read()
    assert len(packed) < 10240 and gzip.decompress(packed) == (ROOT / "nginx/html/imd.js").read_bytes()


@pytest.mark.parametrize("place, prefix", [("plain", ""), ("mounted", "/chat")])
def test_the_page_is_served_with_and_without_a_slash(places, place, prefix):
    place = getattr(places, place)
    page = get(place, f"{prefix}/im/?user=ann")
    assert page.status_code == 200 and page.content == (ROOT / "nginx/html/index.html").read_bytes()
    assert_guarded(page)
    for query in ("", "?user=ann&x=%20"):
        moved = get(place, f"{prefix}/im{query}")
        assert (moved.status_code, moved.headers["Location"]) == (301, f"{prefix}/im/{query}")
    head = requests.head(f"{place.url}{prefix}/im/", timeout=10)
    assert head.status_code == 200 and not head.content


def test_other_files_are_not_served(places):
    for path in ("/im/nope.js", "/im/.htaccess", "/im/../serve.sh", "/im/..%2fserve.sh", "/im/%2e%2e/serve.sh", "/im/imd.js/",
                 "/im/imd.js%00", "/im/IMD.JS", "/imd.js", "/im/imd", "/_imd_page/imd.js", "/im/imd.js%2f"):
        answer = get(places.stack, path)
        assert answer.status_code in (400, 404), path
        assert answer.headers["Content-Type"] == "application/problem+json", path
    assert get(places.mounted, "/im/").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_page_refuses_other_methods(places, method):
    answer = requests.request(method, f"{places.plain.url}/im/imd.js", timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_one_line_turns_the_page_off(places):
    assert get(places.off, "/im/").text == "the host"
    assert get(places.off, "/im/imd.js").text == "the host"
    assert get(places.off, "/healthz").status_code == 200


def test_the_access_rules_of_the_host_apply_to_the_page(places):
    for path in ("/im/", "/im/imd.js"):
        assert get(places.locked, path).status_code == 401
        assert get(places.locked, path, auth=("ann", "secret")).status_code == 200


def test_pages_of_listed_sites_can_import_the_client(places):
    assert get(places.listed, "/im/imd.js", headers={"Origin": APP}).headers["Access-Control-Allow-Origin"] == APP
    other = get(places.listed, "/im/imd.js", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers
