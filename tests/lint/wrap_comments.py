#!/usr/bin/python3
"""Wraps the comments of C files at 100 columns, in place; clang-format knows one width only, that of the code.

    wrap_comments.py FILE...

A paragraph is wrapped only if one of its lines is too wide. Indented text, such as an example, keeps its lines. A comment
after code is left to clang-format.
"""
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOUSE = ROOT / "fcgi_app"
COLUMNS = 100
# Rooms whose comments are still as wide as the code. Remove a room here, then run make format.
UNWRAPPED = ("domain", "store")
BULLET = re.compile(r"(- |\d+\. )")


def block_end(lines, start):
    """The index of the last line of the comment that begins at `start`; None: code follows on that line."""
    for at in range(start, len(lines)):
        if "*/" in lines[at]:
            return at if lines[at].rstrip().endswith("*/") and not lines[at].endswith("\\") else None
    return None


def texts(block):
    """The lines of a comment without its marks, and whether the first and last line are marks alone."""
    bare = list(block)
    bare[0] = re.sub(r"^\s*/\*+ ?", "", bare[0])
    bare[-1] = re.sub(r"\s*\*/$", "", bare[-1])
    bare[1:] = [re.sub(r"^\s*\* ?", "", line) if line.lstrip().startswith("*") else line.strip() for line in bare[1:]]
    return [line for at, line in enumerate(bare) if line or 0 < at < len(bare) - 1]


def paragraphs(lines):
    """Yields lists of lines that belong together."""
    current = []
    for line in lines:
        if current and (not line or not current[-1] or BULLET.match(line) or
                        (line[:1] == " ") != (current[-1][:1] == " " and not BULLET.match(current[0]))):
            if not (BULLET.match(current[0]) and line[:1] == " "):
                yield current
                current = []
        current.append(line)
    if current:
        yield current


def wrapped(paragraph, width):
    if max(map(len, paragraph)) <= width:
        return paragraph
    indent = re.match(r"\s*", paragraph[0]).group()
    bullet = BULLET.match(paragraph[0])
    hanging = " " * len(bullet.group()) if bullet else indent
    return textwrap.wrap(" ".join(line.strip() for line in paragraph), width, initial_indent=indent,
                         subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)


def rewrite(block):
    """The comment, with the marks on lines of their own."""
    indent = re.match(r"\s*", block[0]).group()
    width = COLUMNS - len(indent) - len(" * ")
    text = [line for paragraph in paragraphs(texts(block)) for line in wrapped(paragraph, width)]
    return [f"{indent}/*", *(f"{indent} * {line}".rstrip() for line in text), f"{indent} */"]


def wrap(source):
    lines, done, at = source.split("\n"), [], 0
    while at < len(lines):
        end = block_end(lines, at) if re.match(r"\s*/\*", lines[at]) else None
        if end is None:
            done.append(lines[at])
            at += 1
            continue
        block = lines[at:end + 1]
        done += rewrite(block) if max(map(len, block)) > COLUMNS else block
        at = end + 1
    return "\n".join(done)


def is_unwrapped(path):
    """True if the comments of this file are not wrapped yet."""
    return path.is_relative_to(HOUSE) and path.relative_to(HOUSE).parts[0] in UNWRAPPED


def main():
    for name in sys.argv[1:]:
        path = pathlib.Path(name).resolve()
        source = path.read_text()
        if not is_unwrapped(path) and wrap(source) != source:
            path.write_text(wrap(source))


if __name__ == "__main__":
    main()
