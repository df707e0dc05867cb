#!/usr/bin/python3
"""
Checks what the formatters do not: names of tests, the width of comments, comments of headers, the length of functions
and the number of their parameters.

Prints each breach as FILE:LINE and exits 1 if there is one.
"""
import re
import sys

from wrap_comments import BLOCKS, COLUMNS, MARKED, ROOT, files

# A function that a header declares or defines: at the margin, with an argument list.
FUNCTION = re.compile(r"^(?!typedef|#|extern const|\s)[a-z_][\w\s*]*?\*?\b(?P<name>[a-z_]\w*)\((?!\()")
ATTRIBUTE = re.compile(r"__attribute__\(\(.*?\)\)+")

NAME_WORDS_MIN = 3
# How a test is defined or registered: by pytest, cmocka (or a macro of its file), node:test.
PYTHON_TEST = re.compile(r"^\s*(?:async )?def test_(?P<name>\w+)\(", re.MULTILINE)
C_TEST = re.compile(r"^(?!#).*\b(?:cmocka_unit_test\w*|TEST|ON_STAGE|WITH_GRANTS)\((?P<name>\w+)", re.MULTILINE)
NODE_TEST = re.compile(r"\b(?:test|step)\(\s*([\"`'])(?P<name>.*?)\1,", re.DOTALL)


def names_of_tests(pattern):
    """Returns a check of the names of the tests that this pattern finds."""
    def check(path):
        text = path.read_text()
        for found in pattern.finditer(text):
            if len(re.split(r"[_\s]+", found.group("name").strip("_"))) < NAME_WORDS_MIN:
                yield (text.count("\n", 0, found.start("name")) + 1,
                       f"{found.group('name')}: a test's name says in at least {NAME_WORDS_MIN} words what it checks")
    return check


def comment_lines(lines):
    """Yields (line number, line) of each line with nothing but a comment. clang-format wraps comments after code."""
    inside = False
    for number, line in enumerate(lines, 1):
        if inside or line.lstrip().startswith("/*"):
            yield number, line
            inside = "*/" not in line


def comment_widths(path):
    """Yields a breach for each comment that is too wide."""
    for number, line in comment_lines(path.read_text().splitlines()):
        if len(line) > COLUMNS:
            yield number, too_wide(line)


def too_wide(line):
    return f"a comment line has {len(line)} columns; {COLUMNS} are allowed: run make format"


def marked_widths(mark):
    """Returns a check of the width of lines with nothing but a comment that begins with this mark."""
    def check(path):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if len(line) > COLUMNS and re.match(rf"\s*{mark}( |$)", line):
                yield number, too_wide(line)
    return check


def declarations(lines):
    """
    Yields (line number, name, whether a comment is above) for each function of a header. Declarations without a blank
    line between them are a group: a comment above its first covers all of them.
    """
    covered, inside_comment, inside_braces = False, False, False
    for number, line in enumerate(lines, 1):
        if inside_comment or line.startswith("/*"):
            inside_comment = "*/" not in line
            covered = True
        elif inside_braces:
            inside_braces = not line.startswith("}")
        elif not line.strip():
            covered = False
        else:
            found = FUNCTION.match(ATTRIBUTE.sub("", line))
            if not found and number < len(lines) and re.match(r"static inline [\w\s*]+$", line):
                found = re.match(r"(?P<name>\w+)\(", lines[number])
            if found:
                yield number, found.group("name"), covered
            inside_braces = line.rstrip().endswith("{") or (
                bool(found) and ";" not in line and "{" in "".join(lines[number:number + 4]).partition(";")[0])


def header_comments(path):
    """Yields a breach for each function without a comment."""
    for number, name, covered in declarations(path.read_text().splitlines()):
        if not covered:
            yield number, f"{name}: no comment above it or above its group"


PARAMETERS_MAX = 5
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# A declaration or definition at the margin, with its parameters, which may be function pointers.
SIGNATURE = re.compile(r"^[a-z_][\w \t*\n]*?\b(?P<name>\w+)\((?P<parameters>(?:[^();{}]|\([^();{}]*\))*)\)\s*[;{]",
                       re.MULTILINE)


def parameter_counts(path):
    """Yields a breach for each function with too many parameters: they belong into a struct."""
    text = COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment.group()), path.read_text())
    for found in SIGNATURE.finditer(text):
        count = re.sub(r"\(.*?\)", "", found.group("parameters"), flags=re.DOTALL).count(",") + 1
        if count > PARAMETERS_MAX:
            yield (text.count("\n", 0, found.start("name")) + 1,
                   f"{found.group('name')}: {count} parameters; {PARAMETERS_MAX} are allowed, else a struct")


LINES_MAX = 40


def function_lengths(path):
    """Yields a breach for each function that is too long. The lines between its braces count."""
    start = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > LINES_MAX:
                yield start, f"a function of {number - start - 1} lines; {LINES_MAX} are allowed"
            start = None


CHECKS = (
    (("tests/**/test_*.py",), names_of_tests(PYTHON_TEST)),
    (("tests/unit/*.c",), names_of_tests(C_TEST)),
    (("tests/browser/*.test.js",), names_of_tests(NODE_TEST)),
    (BLOCKS, comment_widths),
    *((patterns, marked_widths(mark)) for mark, patterns in MARKED.items()),
    (("fcgi_app/**/*.h",), header_comments),
    (("fcgi_app/**/*.[ch]",), parameter_counts),
    (("fcgi_app/**/*.[ch]", "tests/**/*.[ch]"), function_lengths),
)


def main():
    breaches = [f"{path.relative_to(ROOT)}:{number}: {sentence}" for patterns, check in CHECKS
                for path in files(patterns) for number, sentence in check(path)]
    print(*breaches, sep="\n", end="\n" if breaches else "")
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
