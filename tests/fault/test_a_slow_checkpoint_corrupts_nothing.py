"""
SQLite 3.7.0 to 3.51.2 can corrupt a database if a writer restarts the write-ahead log after a checkpoint has read
the log's header and before it copies pages. A preloaded library holds each checkpoint at that point for 20 ms, and
dozens of checkpoints run while others post. The database must stay intact.

SLOW_CHECKPOINT_SECONDS sets the duration (10 by default).
"""
import os
import subprocess
import time
from pathlib import Path

import pytest

from chat import Chat
from load import Load
from stack import ROOT, Stack, wait_until

pytestmark = pytest.mark.sqlite_only("checkpoints are the server's affair")

SECONDS = float(os.environ.get("SLOW_CHECKPOINT_SECONDS", "10"))
# Bytes per message: large ones cause many checkpoints, small ones let a long run fit into memory.
SIZE = 30000 if SECONDS <= 60 else 2000
SOURCE = Path(__file__).with_name("slow_checkpoint.c")


@pytest.fixture(scope="module")
def slow_imd(tmp_path_factory):
    """A program that runs imd with slow checkpoints."""
    room = tmp_path_factory.mktemp("slow")
    library, program = room / "slow_checkpoint.so", room / "imd"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl"], check=True)
    imd = Path(os.environ.get("IMD") or ROOT / "build/imd").absolute()
    # A sanitized imd demands that its runtime is loaded first, which is not needed.
    program.write_text(f"""#!/bin/sh
ASAN_OPTIONS=verify_asan_link_order=0${{ASAN_OPTIONS:+:$ASAN_OPTIONS}} LD_PRELOAD={library} exec {imd} "$@"
""")
    program.chmod(0o755)
    room.chmod(0o755)
    for parent in (room.parent, room.parent.parent):
        parent.chmod(0o755)
    return str(program)


def checkpoints(chat):
    text = chat.ask("GET", "/metrics").text
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("imd_checkpoints_total ")))


def test_posts_survive_checkpoints_that_are_held_after_reading_the_header(slow_imd):
    with Stack(env={"IMD": slow_imd}) as stack:
        chat = Chat(stack)
        with Load(stack, chat, senders=8, size=SIZE) as load:
            until = time.monotonic() + SECONDS
            wait_until(lambda: time.monotonic() > until and checkpoints(chat) >= 10, SECONDS + 60,
                       "ten checkpoints")
        assert not load.failed, load.failed[:3]
        load.assert_stored_once()
        stack.stop()
        stack.database.assert_whole()
