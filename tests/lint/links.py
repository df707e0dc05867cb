#!/usr/bin/python3
"""Checks the documents: every relative link and #anchor resolves, and the source has each file and function they name.

Prints each breach as FILE:LINE and exits 1 if there is one.
"""
import functools
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.*)$", re.M)
FENCED = re.compile(r"^( *)```.*?^\1```$", re.S | re.M)
SPAN = re.compile(r"`([^`]+)`")
SOURCE_FILE = re.compile(r"[a-z_0-9/]+\.(?:c|h|js|py|pml|sql)")
FUNCTION = re.compile(r"([a-z_0-9]+)\(\)")
# Files in which only links are checked. The first two mention code of earlier versions; a browser
# test checks the methods that the third one names.
LINKS_ONLY = {"CHANGELOG.md", "SECURITY.md", "client.md"}
# Directories that the documents leave out of a file's path.
FOLDERS = ("", "fcgi_app", "nginx/html")


def documents():
    """Returns the Markdown files that git knows, or would add."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT,
                            check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in sorted(set(listed.split())) if (ROOT / name).exists()]


def blanked(text):
    """Returns the text with empty lines in place of fenced blocks."""
    return FENCED.sub(lambda block: "\n" * block[0].count("\n"), text)


def slug(heading):
    """Returns the anchor that GitHub gives a heading."""
    heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


@functools.cache
def anchors(path):
    found, counts = set(), {}
    for heading in HEADING.findall(blanked(path.read_text())):
        name = slug(heading)
        found.add(f"{name}-{counts[name]}" if name in counts else name)
        counts[name] = counts.get(name, 0) + 1
    return found


@functools.cache
def functions():
    """Returns the names of all functions of imd."""
    return {name for path in (ROOT / "fcgi_app").rglob("*.[ch]")
            for name in re.findall(r"^(?:static .*\s)?\*?([a-z]\w+)\(", path.read_text(), re.M)}


def link_fault(path, target):
    """Returns why the link is broken; None if it is not, or leads to another site."""
    if re.match(r"[a-z]+:", target):
        return None
    name, _, anchor = target.partition("#")
    there = (path.parent / name).resolve() if name else path
    if not there.exists():
        return f"{name} does not exist"
    if anchor and there.suffix == ".md" and anchor not in anchors(there):
        return f"{name or path.name} has no heading #{anchor}"
    return None


def span_fault(span):
    """Returns why the source named in a code span does not exist; None if it does, or none is named."""
    if SOURCE_FILE.fullmatch(span) and not any((ROOT / folder / span).exists() for folder in FOLDERS):
        if "/" in span or not any(any((ROOT / tree).rglob(span)) for tree in ("fcgi_app", "nginx", "tests")):
            return f"no file {span}"
    called = FUNCTION.fullmatch(span)
    if called and called[1] not in functions():
        return f"no function {span}"
    return None


def faults(path):
    """Yields (line number, sentence) for each fault of one document."""
    for number, line in enumerate(blanked(path.read_text()).splitlines(), 1):
        found = [link_fault(path, target) for target in LINK.findall(line)]
        if path.name not in LINKS_ONLY:
            found += [span_fault(span) for span in SPAN.findall(line)]
        for sentence in filter(None, found):
            yield number, sentence


def main():
    found = False
    for path in documents():
        for number, sentence in faults(path):
            print(f"{path.relative_to(ROOT)}:{number}: {sentence}")
            found = True
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
