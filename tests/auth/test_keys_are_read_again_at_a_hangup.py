"""
This is how keys are rotated: the new key is added before its first token, and the old key is removed after its last.
"""
import os
import signal
import tempfile
from pathlib import Path

import pytest

from keyring import Keyring
from sites import bearer, jwt_stack
from stack import wait_until
from tokens import Es256, Hs256, Rs256


@pytest.fixture
def rotating():
    """A site whose first key is the old one."""
    key = Hs256("old")
    stack = jwt_stack(key)
    with stack:
        yield Keyring(stack, [key])


@pytest.fixture
def readable_path():
    """Only their owner may enter pytest's own directories, but imd may run as another user."""
    with tempfile.TemporaryDirectory(prefix="imd-test-") as path:
        os.chmod(path, 0o755)
        yield Path(path)


def hang_up(site):
    """Sends SIGHUP. Returns when none of the old workers is left."""
    before = site.stack.workers()
    os.kill(site.stack.master_pid, signal.SIGHUP)
    wait_until(lambda: len(site.stack.workers()) == len(before) and not set(before) & set(site.stack.workers()), 20,
               "all workers are new")


def statuses(site, token):
    """Returns the statuses of so many requests that every worker answers some."""
    return {site.whoami(bearer(token)).status for _ in range(40)}


def test_keys_can_be_rotated(rotating):
    old, new = rotating.old, [Hs256("secret"), Rs256("pair"), Es256("curve")]
    for key in new:
        key.save(rotating.stack.state / "keys")
        assert statuses(rotating, key.token("ann")) == {401}
    hang_up(rotating)
    for key in (old, *new):
        assert statuses(rotating, key.token("ann")) == {200}
    # A token that was accepted just before is not cached any more.
    known = [old.token("ann"), old.token("ann", kid=False)]
    for token in known:
        assert statuses(rotating, token) == {200}
    (rotating.stack.state / "keys/old.hs256").unlink()
    hang_up(rotating)
    for token in (*known, old.token("bob")):
        assert statuses(rotating, token) == {401}
    for key in new:
        assert statuses(rotating, key.token("ann")) == {200}


def test_a_replaced_key_invalidates_old_tokens(rotating):
    new = Hs256("old")
    new.save(rotating.stack.state / "keys")
    hang_up(rotating)
    assert statuses(rotating, rotating.old.token("ann")) == {401}
    assert statuses(rotating, new.token("ann")) == {200}


def test_administrators_are_read_again(readable_path):
    key, settings = Hs256("tests"), readable_path / "imd.conf"
    settings.write_text("admins = root\n")
    with jwt_stack(key, imd_flags=[f"--config={settings}"]) as stack:
        site = Keyring(stack, [key])

        def metrics(name):
            return {site.api.request("GET", "/metrics", None, bearer(key.token(name))).status for _ in range(20)}

        assert (metrics("root"), metrics("chief")) == ({200}, {403})
        settings.write_text("admins = chief\n")
        hang_up(site)
        assert (metrics("root"), metrics("chief")) == ({403}, {200})


@pytest.mark.parametrize("fault", ["short", "none_left"])
def test_a_bad_key_changes_nothing(rotating, fault):
    directory = rotating.stack.state / "keys"
    if fault == "short":
        Hs256("short", b"x" * 31).save(directory)
    else:
        for path in directory.iterdir():
            path.unlink()
    logged = len(rotating.stack.log())
    os.kill(rotating.stack.master_pid, signal.SIGHUP)
    wait_until(lambda: str(directory) in rotating.stack.log()[logged:], 15, "it says which directory is at fault")
    assert statuses(rotating, rotating.old.token("ann")) == {200}
