#!/usr/bin/python3
"""Checks that `make help` lists every target of .PHONY, and that every `make TARGET` in help and documents exists.

Prints each breach and exits 1 if there is one.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = r"[a-z][a-z-]*"


def main():
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    phony = set(re.findall(TARGET, " ".join(re.findall(r"^\.PHONY:(.*)", makefile, re.M))))
    listed = subprocess.run(["make", "-s", "-C", ROOT, "help"], check=True, capture_output=True, text=True).stdout
    breaches = [f"make help does not list {name}" for name in sorted(phony)
                if not re.search(rf"(?<![a-z-]){name}(?![a-z-])", listed)]
    texts = {"make help": listed}
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "tests/README.md"]
    texts.update((document.relative_to(ROOT), document.read_text()) for document in documents)
    for name, text in texts.items():
        # In prose, only what stands in code can be a target.
        code = text if name == "make help" else "\n".join(re.findall(r"`[^`]+`|^```.*?^```", text, re.M | re.S))
        called = set(re.findall(rf"(?m)(?:^|`|&& |; )make ({TARGET})(?![\w/-])", code))
        breaches += [f"{name}: there is no target {target}" for target in sorted(called - phony)]
    for breach in breaches:
        print(breach)
    sys.exit(bool(breaches))


if __name__ == "__main__":
    main()
