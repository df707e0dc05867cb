#!/usr/bin/python3
"""
Runs the curl blocks of a document in order, as printed, and compares the answers with the ones printed below them.

A step is a `sh` block that is followed by a block of output. A block with nothing but `make run` starts a fresh stack,
with the variables on its command line. Run as a program, it writes the present answers into the documents:

    IMD=build/imd /usr/bin/python3 tests/lib/documents.py README.md docs/api.md
"""
import os
import re
import subprocess
import sys
from pathlib import Path

from stack import ROOT, Stack

STEP_DEADLINE_S = 30
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)
# Differences between runs: random ids and keys, times, and how far the relay is.
VARIABLE = ((re.compile(r"\b[0-9a-f]{32}\b"), "<random>"), (re.compile(r"\b\d{10}(?:\d{3})?\b"), "<time>"),
            (re.compile(r"^id: .*$", re.M), "id: <id>"), (re.compile(r'"outbox_pending":\d+'), '"outbox_pending":<n>'))


class Step:
    """One block of commands, and the position of its printed output in the document."""

    def __init__(self, commands, output, line):
        self.commands = commands
        self.printed = output[2]
        self.span = output.span(2)
        self.line = line
        self.environment = None  # of the stack to start before it; None: the running one


def steps(text):
    """The steps of a document, in order."""
    blocks = list(BLOCK.finditer(text))
    environment = {}
    found = []
    for block, following in zip(blocks, blocks[1:] + [None]):
        make_run = re.fullmatch(r"make run((?: [A-Z]+=\w+)*)\n", block[2])
        if make_run:
            environment = dict(pair.split("=") for pair in make_run[1].split())
        if block[1] != "sh" or following is None or following[1] == "sh":
            continue
        if text[block.end():following.start()].strip():
            continue
        step = Step(block[2], following, text[:block.start()].count("\n") + 1)
        step.environment, environment = environment, None
        found.append(step)
    return found


def comparable(text):
    for pattern, replacement in VARIABLE:
        text = pattern.sub(replacement, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def run(path):
    """Yields each step of the document with its present output."""
    stack = None
    variables = ""
    try:
        for step in steps(path.read_text()):
            if step.environment is not None:
                if stack is not None:
                    stack.__exit__()
                stack, variables = Stack(env=step.environment), ""
                stack.__enter__()
            commands = on_stack(step.commands, stack)
            yield step, shell(variables + commands)
            variables += "".join(f"{line}\n" for line in commands.splitlines() if re.match(r"[A-Z]+=", line))
    finally:
        if stack is not None:
            stack.__exit__()


def on_stack(commands, stack):
    imctl = Path(os.environ.get("IMD") or ROOT / "build/imd").absolute().parent / "imctl"
    return commands.replace("127.0.0.1:8080", f"127.0.0.1:{stack.port}").replace(
        "build/run", str(stack.state)).replace("build/imctl", str(imctl))


def shell(commands):
    done = subprocess.run(["bash", "-c", commands], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=STEP_DEADLINE_S, check=False)
    return done.stdout.decode().strip() + "\n"


def write(path):
    text = path.read_text()
    for step, output in reversed(list(run(path))):
        if comparable(output) != comparable(step.printed):
            text = text[:step.span[0]] + re.sub(r"^\n", "", output) + text[step.span[1]:]
    path.write_text(text)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write(Path(name))
