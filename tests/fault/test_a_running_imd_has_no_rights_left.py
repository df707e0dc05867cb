"""Whatever is made of one of its processes: it is not root, gets no more rights, runs nothing, dumps nothing; and what it
writes is nobody else's. (That the filter forbids what it should is a unit test's.)"""
import os
import re
import stat
from pathlib import Path

import pytest

from stack import Stack


@pytest.fixture(scope="module")
def stack():
    with Stack(env={"AUTH": "jwt"}) as stack:
        yield stack


def status(pid):
    return dict(re.findall(r"^(\w+):\s+(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M))


def test_each_process(stack):
    for pid in (stack.master_pid, stack.relay(), *stack.workers()):
        found = status(pid)
        assert "0" not in found["Uid"].split() + found["Gid"].split(), found
        assert int(found["CapEff"], 16) == int(found["CapPrm"], 16) == int(found["CapInh"], 16) == 0, found
        assert found["NoNewPrivs"] == "1", found
        assert found["Seccomp"] == "2", found  # a filter
        assert re.search(r"^Max core file size\s+0\s+0\s", Path(f"/proc/{pid}/limits").read_text(), re.M)
        sockets = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
        inet = {line.split()[9] for name in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6")
                for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]}
        assert not {link[8:-1] for link in sockets if link.startswith("socket:")} & inet


def test_each_file(stack):
    def mode(path):
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(stack.state) & 0o027 == 0
    files = [path for path in stack.state.iterdir() if path.name.startswith("imd.db")]
    assert len(files) >= 3
    for path in files:
        assert mode(path) == 0o640, path
    assert mode(stack.state / "imd.sock") == 0o660
    assert mode(stack.state / "keys") == 0o700
    for path in (*(stack.state / "keys").iterdir(), stack.state / "imd.log", stack.state / "access.log"):
        assert mode(path) & 0o027 == 0, path
