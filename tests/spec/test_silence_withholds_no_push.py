"""The model of silence (silence.pml) holds in all interleavings, and fails for each mistake that is planted in it."""
import subprocess
from pathlib import Path

import pytest

MODEL = Path(__file__).with_name("silence.pml")
# Each of them removes one of the rules of fcgi_app/push/silence.c.
MISTAKES = ["NO_EXPIRY", "NOTE_LATE", "NO_QUIET", "STAMP_AFTER_ANSWER", "NO_COMPARISON", "FILTER_EARLY",
            "OLD_GRANTS_FORGOTTEN", "SLOW_COUNT"]


def check(directory, *mistakes):
    """Checks all interleavings with spin; returns (failed assertions, states)."""
    flags = [f"-D{mistake}" for mistake in mistakes]
    subprocess.run(["spin", "-a", *flags, str(MODEL)], cwd=directory, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["gcc", "-O2", "-w", "-DSAFETY", "-o", "pan", "pan.c"], cwd=directory, check=True)
    # -E: processes may be blocked at the end. -m: a depth that the longest run does not reach, else
    # pan reports it.
    out = subprocess.run(["./pan", "-E", "-m200000"], cwd=directory, check=True, capture_output=True, text=True).stdout
    assert "max search depth too small" not in out, out
    errors = int(out.split("errors: ")[1].split()[0])
    states = float(out.split(" states, stored")[0].split()[-1])
    assert "assertion violated" in out or errors == 0, out
    return errors, states


def test_no_interleaving_withholds_a_push(tmp_path):
    errors, states = check(tmp_path)
    assert errors == 0
    assert states > 10000


def test_the_model_can_withhold_a_publish(tmp_path):
    errors, _ = check(tmp_path, "NOTHING_IS_WITHHELD")
    assert errors > 0


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_planted_mistake_withholds_a_push(tmp_path, mistake):
    errors, _ = check(tmp_path, mistake)
    assert errors > 0
