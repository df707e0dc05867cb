import os
import re
import signal
import time

import pytest

from alone import Directory
from stack import children, wait_until

DEATHS = 5


def kill_one(imd, kind):
    """Returns a lower bound of the seconds for which its place was empty."""
    [victim] = children(imd.pid, kind)
    died_at = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: children(imd.pid, kind) not in ([], [victim]), 30, f"another {kind}")
    return time.monotonic() - died_at


@pytest.mark.parametrize("kind", ["imd-relay", "imd-worker"])
def test_each_restart_of_a_dying_child_waits_longer(kind):
    with Directory() as directory:
        imd = directory.start("--processes=1")
        empty_s = [kill_one(imd, kind) for _ in range(DEATHS)]
        assert empty_s[-1] > 0.5, "a child that cannot live must not keep the machine busy"
        said_ms = [int(pause) for pause in re.findall(r"again_in_ms=(\d+)", imd.log())]
        assert len(said_ms) == DEATHS and said_ms == sorted(said_ms) and said_ms[-1] > 2 * said_ms[0], imd.log()
        assert all(1000 * empty >= said for empty, said in zip(empty_s, said_ms)), (empty_s, said_ms)
        assert imd.ask("GET", "/conversations/?id=1")[0] == 200
