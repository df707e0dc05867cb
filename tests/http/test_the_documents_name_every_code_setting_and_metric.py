"""The tables of docs/ list every error code, every setting and every metric, and nothing else."""
import os
import re
import subprocess

from stack import ROOT


def rows(document, heading):
    """The rows of the first table below a heading, each a list of cells."""
    below = (ROOT / "docs" / document).read_text().split(f"\n{heading}\n")[1]
    table = re.search(r"^\|[^\n]*\n\| ---[^\n]*\n((?:\|[^\n]*\n)+)", below, re.M)[1]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def spans(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_the_documents_list_every_error_code_with_its_status():
    known = set(re.findall(r'\{([45]\d\d),\s*"(\w+)"', (ROOT / "fcgi_app/api/problem.c").read_text()))
    known |= {(status, code) for code, status in
              re.findall(r'"code":"(\w+)","status":(\d+)', (ROOT / "nginx/imd-server.conf").read_text())}
    told = set()
    for statuses, codes, _ in rows("api.md", "## Errors"):
        statuses, codes = statuses.split(), spans(codes)
        told |= set(zip(statuses if len(statuses) > 1 else statuses * len(codes), codes, strict=True))
    assert told == known


def test_the_documents_list_every_setting_with_its_default():
    imd = os.environ.get("IMD") or ROOT / "build/imd"
    listed = subprocess.run([imd, "--help"], check=True, capture_output=True, text=True).stdout
    known = dict(re.findall(r"^  (\w+) \[(.*)\](?: \(needs a restart\))?$", listed, re.M))
    told = {}
    for keys, defaults, _ in rows("operate.md", "## Settings"):
        keys = spans(keys)
        defaults = defaults.replace("`", "").split(", ")
        told |= zip(keys, defaults if len(defaults) > 1 else defaults * len(keys), strict=True)
    assert told == known


def test_the_documents_list_every_metric():
    known = set(re.findall(r"imd_\w+", (ROOT / "fcgi_app/api/metrics.c").read_text()))
    assert {name for names, _ in rows("operate.md", "## Metrics") for name in spans(names)} == known
