"""imctl, run as an operator runs it."""
import os
import subprocess
from pathlib import Path

from stack import ROOT, SANITIZER_REPORTS


def program():
    """Returns the path of imctl, beside the imd under test."""
    return str(Path(os.environ.get("IMD") or ROOT / "build/imd").absolute().with_name("imctl"))


def run(*arguments, stdin="", user=None, timeout_s=30):
    """Runs imctl to its end, with this standard input. `user`: runs it as another user, which needs root."""
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
    done = subprocess.run([*become, program(), *map(str, arguments)], input=stdin, capture_output=True, text=True,
                          timeout=timeout_s)
    assert not [report for report in SANITIZER_REPORTS if report in done.stderr], done.stderr
    return done
