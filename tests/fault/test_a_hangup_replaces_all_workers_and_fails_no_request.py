import os
import signal

from chat import Chat
from load import Load
from stack import Stack, wait_until

WORKERS = 3


def replaced(stack, old):
    now = stack.workers()
    return len(now) == WORKERS and not set(now) & set(old)


def hangup(stack):
    os.kill(stack.master_pid, signal.SIGHUP)


def test_a_hangup_under_load_fails_no_request():
    with Stack(imd_flags=[f"--processes={WORKERS}", "--threads=8"]) as stack:
        load = Load(stack, Chat(stack), senders=8)
        master = stack.master_pid
        with load:
            for _ in range(2):
                load.wait_answered(100)
                old = stack.workers()
                hangup(stack)
                wait_until(lambda: replaced(stack, old), 30, "all workers are replaced")
                load.wait_answered(100)
        assert not load.failed, load.failed
        assert stack.master_pid == master
        load.assert_stored_once()


def test_repeated_hangups_replace_all_workers():
    with Stack(imd_flags=[f"--processes={WORKERS}", "--threads=8"]) as stack:
        load = Load(stack, Chat(stack))
        with load:
            load.wait_answered(50)
            old = stack.workers()
            for _ in range(5):
                hangup(stack)
            wait_until(lambda: replaced(stack, old), 30, "all workers are replaced")
            load.wait_answered(100)
        assert not load.failed, load.failed
        load.assert_stored_once()
