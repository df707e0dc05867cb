"""Checks the metrics against the rules of the text format 0.0.4, and against the requests made."""
import re

import pytest

from api import new_name

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
HELP = re.compile(rf"# HELP ({NAME}) (\S.*)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram|summary|untyped)")
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\d+(?:\.\d+)?)")


def parse(text):
    """Returns ({(name, labels): value}, {name: type}). A metric's samples are contiguous, after its HELP and TYPE."""
    assert text.endswith("\n")
    samples, types, helped, current = {}, {}, set(), None
    for line in filter(None, text.split("\n")):
        if found := HELP.fullmatch(line):
            current = found[1]
            assert current not in helped, line
            helped.add(current)
        elif found := TYPE.fullmatch(line):
            assert found[1] == current and current not in types, line
            types[current] = found[2]
        else:
            found = SAMPLE.fullmatch(line)
            assert found and found[1] == current and current in types, line
            key = current, found[2] or ""
            assert key not in samples, line
            samples[key] = float(found[3])
    return samples, types


@pytest.fixture
def scrape(api):
    def scrape():
        answer = api.get("/metrics")
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4"
        return parse(answer.body.decode("utf-8"))
    return scrape


def test_metrics_follow_the_text_format(scrape):
    samples, types = scrape()
    assert len(types) > 5
    for name, kind in types.items():
        assert name.startswith("imd_") and kind in ("counter", "gauge")
        assert name.endswith("_total") == (kind == "counter")
    assert {name for name, _ in samples} == set(types)


def test_counters_never_fall_and_requests_are_counted(api, scrape):
    alice = new_name()
    group = api.group(alice)
    sent = api.send(group, alice)
    before, types = scrape()
    for _ in range(7):
        api.send(group, alice)
    for _ in range(5):
        api.get(f"/messages/{sent['id']}").ok
        api.request("HEAD", f"/messages/{sent['id']}/")
        api.get("/messages/0").problem(404)
        api.react(sent["id"], "nobody_at_all", "👍").problem(403)
        api.request("FROB", "/messages/").problem(405)
    after, _ = scrape()
    for key, value in before.items():
        assert types[key[0]] == "gauge" or after[key] >= value, key

    def rose(name, labels=""):
        return after.get((name, labels), 0) - before.get((name, labels), 0)

    assert rose("imd_answers_total", 'method="POST",path="/messages",status="2xx"') == 7
    assert rose("imd_answers_total", 'method="GET",path="/messages/{id}",status="2xx"') == 10
    assert rose("imd_answers_total", 'method="PUT",path="/messages/{id}/reactions/{emoji}",status="4xx"') == 5
    # These requests, and the first read of the counters.
    assert sum(value - before.get(key, 0) for key, value in after.items() if key[0] == "imd_answers_total") == 33
    # Sequential, so each is in its own transaction.
    assert rose("imd_commits_total") >= 7 and rose("imd_commands_total") >= 7


def test_no_request_can_add_a_metric(api, scrape):
    """Names that clients invent would fill the scraper's memory."""
    samples, types = scrape()
    scrape()
    known = set(samples)
    for i in range(20):
        api.get(f"/nope/{i}").problem(404)
        api.get(f"/messages/{2**50 + i}").problem(404)
        api.get("/messages/", username=new_name()).ok
    after, types_after = scrape()
    assert types_after == types
    assert len(set(after) - known) <= 6
