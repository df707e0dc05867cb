"""
Sockets of silent users open and close as fast as the machine can, while others post. Everything sent after a socket
opened must arrive. With several workers nginx subscribes a few sockets late or never (docs/nginx.md). A ping finds these,
and everything sent after its frame must arrive. CHURN_S sets the duration.
"""
import multiprocessing
import os
import re
import urllib.request

import pytest

import churn
from chat import Chat, name
from stack import Stack, wait_until

PROCESSES = 2
GROUPS, MEMBERS = 500, 12  # of each process
SOCKETS = 64  # that each process opens at once
SECONDS = float(os.environ.get("CHURN_S", 6))


def metric(stack, key):
    with urllib.request.urlopen(stack.url + "/metrics") as answer:
        return int(re.search(rf"(?m)^{key} (\d+)$", answer.read().decode())[1])


@pytest.mark.parametrize("nginx_workers", [1, 2])
def test_nothing_sent_after_opening_is_lost(nginx_workers):
    with Stack(nginx_workers=nginx_workers) as stack, multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        chat = Chat(stack)
        shares = [[(chat.group(*members)["id"], members) for members in
                   ([name("m") for _ in range(MEMBERS)] for _ in range(GROUPS))] for _ in range(PROCESSES)]

        def all_are_silent():
            pool.starmap(churn.warm_up, [(stack.port, share, 1) for share in shares])
            return metric(stack, "imd_silent_names") >= PROCESSES * GROUPS * MEMBERS * 9 // 10

        wait_until(all_are_silent, 60, "nine of ten users are silent")
        avoided = metric(stack, "imd_copies_avoided_total")
        tallies = pool.starmap(churn.run, [(stack.port, share, SECONDS, SOCKETS, nginx_workers > 1) for share in shares])
        heard, unsubscribed = (sum(tally[key] for tally in tallies) for key in ("heard", "unsubscribed"))
        faults = [fault for tally in tallies for fault in tally["faults"]]
        print(f"{heard / SECONDS:.0f} sockets/s, {unsubscribed} unsubscribed, {metric(stack, 'imd_copies_avoided_total') - avoided} copies avoided")
        assert not faults, (len(faults), heard, faults[:5])
        assert unsubscribed <= heard // 100, (unsubscribed, heard)
        assert heard > 50 * SECONDS
        assert sum(tally["owed"] for tally in tallies) > 0
        assert metric(stack, "imd_copies_avoided_total") > avoided
