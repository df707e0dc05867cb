"""The faults of a run, and at which operation each happens. The plan depends on the seed alone."""
import collections
import os
import random
import signal
import threading

from link import kind_fate
from stack import children, wait_until

KINDS = ("kill_worker", "kill_relay", "restart_nginx", "reload_nginx", "hang_up", "cut_sockets", "mute_clients")
OPERATIONS_EACH = 100  # a long run has one fault for this many operations

Fault = collections.namedtuple("Fault", "operation kind dice")


def plan(seed, operations):
    """Plans each kind at least twice, at any time except the very beginning and end of the run."""
    chance = random.Random(f"{seed} faults")
    kinds = list(KINDS) * 2
    kinds += chance.choices(KINDS, k=max(0, operations // OPERATIONS_EACH - len(kinds)))
    chance.shuffle(kinds)
    moments = sorted(chance.randrange(operations // 20, operations * 19 // 20) for _ in kinds)
    return [Fault(moment, kind, random.Random(chance.getrandbits(64))) for moment, kind in zip(moments, kinds)]


class Faults:
    def __init__(self, stack, links):
        self._stack = stack
        self._links = links
        self._pause = threading.Event()
        self.done = collections.Counter()

    def bring_about(self, fault):
        for link in self._links:
            link.muted = False  # undoes an earlier _mute_clients()
        getattr(self, f"_{fault.kind}")(fault.dice)
        self.done[fault.kind] += 1

    def end(self):
        """Ends all faults."""
        for link in self._links:
            link.muted = False
            link.fate = kind_fate

    def _kill(self, dice, name):
        """
        Kills one of imd's processes. Waits until there is one: another may have been killed before, and the pause
        grows.
        """
        alive = wait_until(lambda: children(self._stack.master_pid, name), 30, f"there is an {name}")
        try:
            os.kill(dice.choice(alive), signal.SIGKILL)
        except ProcessLookupError:
            pass  # a hangup has just replaced it

    def _kill_worker(self, dice):
        self._kill(dice, "imd-worker")

    def _kill_relay(self, dice):
        self._kill(dice, "imd-relay")

    def _restart_nginx(self, dice):
        self._stack.nginx_stop()
        self._pause.wait(dice.uniform(0, 0.3))
        self._stack.nginx_start()

    def _reload_nginx(self, dice):
        self._stack.nginx_reload()

    def _hang_up(self, dice):
        os.kill(self._stack.master_pid, signal.SIGHUP)

    def _cut_sockets(self, dice):
        for link in dice.sample(self._links, dice.randrange(1, len(self._links))):
            link.cut()

    def _mute_clients(self, dice):
        """Clients receive nothing, and no error, as on a network that drops everything."""
        for link in dice.sample(self._links, dice.randrange(1, len(self._links) // 2)):
            link.muted = True
