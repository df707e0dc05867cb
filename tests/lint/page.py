#!/usr/bin/python3
"""
Checks the files of nginx/html: no inline script or style, which the page's policy forbids, and no text that is parsed
as HTML.

Prints each breach as FILE:LINE and exits 1 if there is one.
"""
import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).resolve().parents[2] / "nginx/html"
NEVER = {
    ".html": re.compile(r"<script(?![^>]*\bsrc=)|<style|\s(?:style|on\w+)=|javascript:|https?://", re.I),
    ".js": re.compile(r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function)\b|"
                      r"setAttribute\(\"(?:style|on)"),
    ".css": re.compile(r"@import|https?://|expression\("),
    ".svg": re.compile(r"<script|\son\w+=|href", re.I),
}


def main():
    found = 0
    for path in sorted(PAGE.iterdir()):
        never = NEVER.get(path.suffix)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if never and never.search(line):
                print(f"{path.relative_to(PAGE.parents[1])}:{number}: {line.strip()}")
                found += 1
    sys.exit(found > 0)


if __name__ == "__main__":
    main()
