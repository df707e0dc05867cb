"""
An attacker who runs code in a process of imd is not root, gains no privileges, executes no program, gets no core dump,
and reaches no network. No other user can read the files that imd writes. Each kind of process has its own policy, which
a preloaded library tries out. (tests/unit/run_sandbox.c checks the whole list of forbidden calls.)
"""
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

import database
from alone import Directory, program
from stack import Stack, wait_until

SOURCE = Path(__file__).with_name("tried_calls.c")
NO_PROGRAM_AND_NO_NETWORK = {"execve": "EPERM", "inet": "EAFNOSUPPORT", "netlink": "EAFNOSUPPORT", "unix": "done"}
# listen and accept on a socket that is not bound: EINVAL is the kernel's answer to a call that the
# policy allows.
POLICY = {
    "imd": {"listen": "EINVAL", "accept": "EINVAL", "fork": "done", "kill": "done"},
    "imd-worker": {"listen": "EPERM", "accept": "EINVAL", "fork": "EPERM", "kill": "EPERM"},
    "imd-relay": {"listen": "EPERM", "accept": "EPERM", "fork": "EPERM", "kill": "EPERM"},
}


@pytest.fixture(scope="module")
def stack():
    with Stack(env={"AUTH": "jwt"}) as stack:
        yield stack


def status(pid):
    return dict(re.findall(r"^(\w+):\s+(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M))


def test_no_process_has_rights_or_a_network(stack):
    for pid in (stack.master_pid, stack.relay(), *stack.workers()):
        found = status(pid)
        assert "0" not in found["Uid"].split() + found["Gid"].split(), found
        assert int(found["CapEff"], 16) == int(found["CapPrm"], 16) == int(found["CapInh"], 16) == 0, found
        assert found["NoNewPrivs"] == "1", found
        assert found["Seccomp"] == "2", found  # a filter
        assert re.search(r"^Max core file size\s+0\s+0\s", Path(f"/proc/{pid}/limits").read_text(), re.M)
        assert found.get("Seccomp_filters", "2") == ("1" if pid == stack.master_pid else "2"), found
        sockets = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
        inet = {line.split()[9] for name in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6")
                for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]}
        assert not {link[8:-1] for link in sockets if link.startswith("socket:")} & inet


def test_no_file_is_readable_by_others(stack):
    def mode(path):
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(stack.state) & 0o027 == 0
    files = [path for path in stack.state.iterdir() if path.name.startswith("imd.db")]
    assert len(files) >= (0 if database.on_postgresql() else 3)
    for path in files:
        assert mode(path) == 0o640, path
    assert mode(stack.state / "imd.sock") == 0o660
    assert mode(stack.state / "keys") == 0o700
    for path in (*(stack.state / "keys").iterdir(), stack.state / "imd.log", stack.state / "access.log"):
        assert mode(path) & 0o027 == 0, path


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """Returns {process name: {call: result}}, as each process of a running imd found it."""
    if b"__asan_init" in Path(program()).read_bytes() or b"__tsan_init" in Path(program()).read_bytes():
        pytest.skip("a sanitizer needs to make processes")
    directory = tmp_path_factory.mktemp("tried")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", directory / "tried.so", SOURCE, "-ldl"],
                   check=True)
    found = directory / "calls"
    with Directory() as place:
        place.start("--processes=1", env={"LD_PRELOAD": str(directory / "tried.so"), "TRIED_CALLS": str(found)})
        wait_until(lambda: found.exists() and len(found.read_text().splitlines()) == 3, 10, "each has tried")
    lines = [line.split() for line in found.read_text().splitlines()]
    return {name: dict(word.split("=") for word in words) for name, *words in lines}


@pytest.mark.parametrize("name", POLICY)
def test_each_kind_of_process_has_its_own_policy(tried, name):
    assert tried[name] == NO_PROGRAM_AND_NO_NETWORK | POLICY[name]
