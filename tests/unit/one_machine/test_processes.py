"""Process trees."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from threegaps.one_machine.processes import descendants, end_descendants, is_alive, reap


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
