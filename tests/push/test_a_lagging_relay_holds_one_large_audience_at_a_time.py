"""
A batch of a relay that lags holds changes of many large groups. The relay needs memory for the names of one group at a
time.
"""
import os
from pathlib import Path

import pytest

from chat import name

GROUPS = 12
MEMBERS = 10_000
# About twice what one group needs. All groups together would need 7 MB.
KILOBYTES = 4_500

pytestmark = pytest.mark.skipif(Path(os.environ.get("IMD", "build/imd")).parent.name != "build",
                                reason="a sanitizer keeps freed memory")


def most_memory(stack):
    """Returns the most memory, in kB, that the relay has had so far."""
    status = Path(f"/proc/{stack.relay()}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


def test_the_memory_of_a_relay_does_not_grow_with_the_number_of_groups(chat, stack):
    stem = name("u")[:12]
    members = [f"{stem}{number:05}" for number in range(MEMBERS)]
    groups = [chat.group(*members) for _ in range(GROUPS)]
    chat.settle()
    before = most_memory(stack)
    stack.relay_stop()
    try:
        for group in groups:
            chat.send(group, members[0], "x")
    finally:
        stack.relay_continue()
    chat.settle()
    assert most_memory(stack) - before < KILOBYTES
