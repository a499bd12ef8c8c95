"""Process trees."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from threegaps.home.processes import descendants, end, end_descendants, is_alive, reap
from threegaps.settings import Settings


def test_a_tree_with_a_grandchild_in_its_own_session_is_ended() -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    grandchild = int(parent.stdout.readline())
    assert set(descendants(os.getpid())) >= {parent.pid, grandchild}
    assert descendants(parent.pid) == [grandchild]
    end_descendants(parent.pid, patience_seconds=0.2)
    assert not is_alive(grandchild)
    parent.kill()
    assert is_alive(parent.pid) or parent.poll() is not None
    parent.wait(10)
    assert not is_alive(parent.pid)


FORKS = """
import os, signal, sys, time
from threegaps.home.processes import tie_forks
if sys.argv[1] == "tied":
    tie_forks()
for _ in range(3):
    if os.fork():
        break
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
# One write each: all four share the pipe, and unbuffered output comes in two.
os.write(1, b"%d\\n" % os.getpid())
time.sleep(600)
"""


@pytest.mark.parametrize("kind", ["tied", "loose"])
def test_tied_forks_end_with_their_parent_though_nobody_watches(kind: str) -> None:
    """As an executor's worker and its task: killed with the scheduler, each in a session of its own."""
    parent = subprocess.Popen(
        [sys.executable, "-c", FORKS, kind],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Settings.load().root / "plugins")},
    )
    assert parent.stdout is not None
    everyone = {int(parent.stdout.readline()) for _ in range(4)}
    assert everyone == {parent.pid, *descendants(parent.pid)}
    parent.kill()
    parent.wait()
    left = everyone - {parent.pid}
    deadline = time.monotonic() + (10 if kind == "tied" else 0.5)
    while any(map(is_alive, left)) and time.monotonic() < deadline:
        time.sleep(0.02)
    alive = set(filter(is_alive, left))
    end(alive, signal_number=signal.SIGKILL)
    # Those that are not tied show that something ended the others.
    assert alive == (set() if kind == "tied" else left)


def test_a_number_that_nobody_has_is_not_alive() -> None:
    assert not is_alive(2**22 + 1)


def test_only_what_nobody_waits_for_is_collected() -> None:
    """The exit code of a job is its owner's to read: collected by another, a failure would look like success."""
    owned = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    os.waitid(os.P_PID, owned.pid, os.WEXITED | os.WNOWAIT)
    reap(spared={owned.pid})
    assert owned.poll() == 3
    orphan = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, orphan.pid, os.WEXITED | os.WNOWAIT)
    reap(spared={owned.pid})
    with pytest.raises(ChildProcessError):
        os.waitpid(orphan.pid, os.WNOHANG)
    orphan.poll()
