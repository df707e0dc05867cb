"""
Runs every curl block of the documents, in order, on a fresh stack, and compares the answers with what is printed,
except ids and times.

If an answer has changed on purpose, `tests/lib/documents.py DOCUMENT` writes the new one into the document.
"""
import pytest

import documents
from stack import ROOT


@pytest.mark.parametrize("name", ["README.md", "docs/api.md", "docs/operate.md"])
def test_each_block_gets_the_printed_answer(name):
    ran = 0
    for step, output in documents.run(ROOT / name):
        assert documents.comparable(output) == documents.comparable(step.printed), f"{name}:{step.line}\n{output}"
        ran += 1
    assert ran > 0


def test_every_curl_block_is_a_step():
    """So that no example is skipped because its output is missing."""
    for name in ("README.md", "docs/api.md"):
        text = (ROOT / name).read_text()
        blocks = [block[2] for block in documents.BLOCK.finditer(text) if block[1] == "sh" and "curl " in block[2]]
        assert blocks == [step.commands for step in documents.steps(text) if "curl " in step.commands], name
