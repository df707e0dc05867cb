#!/usr/bin/python3
"""Wraps comments at 100 columns, in place. clang-format and prettier know one width only, that of the code.

    wrap_comments.py

It wraps a paragraph only if one of its lines is too wide. Indented text, such as an example, keeps its lines, and so
does a comment after code.
"""
import pathlib
import re
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS = 100
# Files with comments in slashes and stars, and files with comments that begin with a mark on each
# line.
BLOCKS = ("fcgi_app/**/*.[ch]", "tests/**/*.[ch]", "nginx/html/*.js", "nginx/html/*.ts", "tests/browser/*.js")
MARKED = {
    "#": ("Makefile", "nginx/*.conf", "nginx/*.sh", "tests/**/*.py", "tests/**/*.sh"),
    "--": ("schema/**/*.sql", "tests/bench/*.lua"),
    "//": ("nginx/html/*.js", "nginx/html/*.ts", "tests/browser/*.js"),
}
BULLET = re.compile(r"(- |\d+\. )")


def block_end(lines, start):
    """Returns the index of the last line of the comment that begins at `start`; None if code follows on that line."""
    for at in range(start, len(lines)):
        if "*/" in lines[at]:
            return at if lines[at].rstrip().endswith("*/") and not lines[at].endswith("\\") else None
    return None


def texts(block):
    """Returns the lines of a comment without their marks, and without a first or last line that is only a mark."""
    bare = list(block)
    bare[0] = re.sub(r"^\s*/\*+ ?", "", bare[0])
    bare[-1] = re.sub(r"\s*\*/$", "", bare[-1])
    bare[1:] = [re.sub(r"^\s*\* ?", "", line) if line.lstrip().startswith("*") else line.strip() for line in bare[1:]]
    return [line for at, line in enumerate(bare) if line or 0 < at < len(bare) - 1]


def paragraphs(lines):
    """Yields paragraphs, as lists of lines."""
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
    if max(map(len, paragraph)) <= width or paragraph[0].startswith("  "):
        return paragraph
    indent = re.match(r"\s*", paragraph[0]).group()
    bullet = BULLET.match(paragraph[0])
    hanging = " " * len(bullet.group()) if bullet else indent
    return textwrap.wrap(" ".join(line.strip() for line in paragraph), width, initial_indent=indent,
                         subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)


def rewrite(block):
    """Returns the comment as lines, with its opening and closing marks on lines of their own."""
    indent, mark = re.match(r"(\s*)(/\*+)", block[0]).groups()
    width = COLUMNS - len(indent) - len(" * ")
    text = [line for paragraph in paragraphs(texts(block)) for line in wrapped(paragraph, width)]
    return [f"{indent}{mark}", *(f"{indent} * {line}".rstrip() for line in text), f"{indent} */"]


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


def runs(lines, mark):
    """Yields (first index, index after the last, indent) of each run of lines with nothing but a marked comment."""
    start, indent = None, None
    for at, line in enumerate([*lines, ""]):
        found = re.match(rf"(\s*){mark}(?= |$)", line)
        if start is not None and (not found or found.group(1) != indent):
            yield start, at, indent
            start = None
        if found and start is None:
            start, indent = at, found.group(1)


def wrap_marked(source, mark):
    lines = source.split("\n")
    for start, end, indent in reversed(list(runs(lines, mark))):
        if max(map(len, lines[start:end])) > COLUMNS:
            width = COLUMNS - len(indent) - len(mark) - 1
            bare = [re.sub(rf"^\s*{mark} ?", "", line) for line in lines[start:end]]
            lines[start:end] = [f"{indent}{mark} {line}".rstrip()
                                for paragraph in paragraphs(bare) for line in wrapped(paragraph, width)]
    return "\n".join(lines)


def files(patterns):
    return sorted({path for pattern in patterns for path in ROOT.glob(pattern) if "node_modules" not in path.parts})


def main():
    for path in files(BLOCKS):
        source = path.read_text()
        if wrap(source) != source:
            path.write_text(wrap(source))
    for mark, patterns in MARKED.items():
        for path in files(patterns):
            source = path.read_text()
            if wrap_marked(source, mark) != source:
                path.write_text(wrap_marked(source, mark))


if __name__ == "__main__":
    main()
