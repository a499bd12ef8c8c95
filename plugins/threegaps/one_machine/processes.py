"""Process trees: find all that descends from a process, and end it without leaving an orphan.

A service's children may leave its process group (Airflow gives every task one of its own), so a group cannot be
trusted to hold a service. On Linux a process can ask to inherit its descendants' orphans; what is below it in the
tree is then all that it ever started.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Container, Iterable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc")


def adopt_orphans() -> None:
    """Make this process the parent of every descendant that loses its own (Linux; elsewhere nothing happens)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(signal_number: int = signal.SIGTERM) -> None:
    """For a child before exec: receive *signal_number* when the parent ends, however it ends (Linux)."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def is_alive(process_id: int) -> bool:
    """Whether the process runs; one that has ended and only waits to be reaped does not."""
    state = _status(process_id)
    if state is not None:
        return state[1] != "Z"
    if _PROC.is_dir():
        return False
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def descendants(process_id: int) -> list[int]:
    """Every process below *process_id*, the nearest first; itself excluded."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir() if _PROC.is_dir() else ():
        if entry.name.isdigit() and (status := _status(int(entry.name))) is not None:
            children.setdefault(status[0], []).append(int(entry.name))
    found, waiting = [], list(children.get(process_id, ()))
    while waiting:
        current = waiting.pop(0)
        found.append(current)
        waiting.extend(children.get(current, ()))
    return found


def _status(process_id: int) -> tuple[int, str] | None:
    """Parent's id and state letter, as /proc tells; None when there is no such process."""
    try:
        text = (_PROC / str(process_id) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, parent = text.rpartition(")")[2].split()[:2]
    return int(parent), state


def reap(*, spared: Container[int] = ()) -> None:
    """Collect adopted children that have ended; *spared* are those whose exit code someone else waits for.

    A spared one that has ended is left where it is, and what waits behind it comes with the next call.
    """
    # Where the kernel cannot be asked (macOS before Python 3.13) nothing was adopted either.
    with contextlib.suppress(ChildProcessError, AttributeError):
        # Asked of the kernel: to look through /proc several times a second costs some per cent of a core.
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid not in spared:
            os.waitpid(ended.si_pid, os.WNOHANG)


def end(process_ids: Iterable[int], *, signal_number: int = signal.SIGTERM) -> None:
    """Send a signal to each process that is still there."""
    for process_id in process_ids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process_id, signal_number)


def end_descendants(process_id: int, *, patience_seconds: float) -> None:
    """End all below *process_id*: asked first, killed after *patience_seconds*; returns when none is left."""
    end(descendants(process_id))
    deadline = time.monotonic() + patience_seconds
    while True:
        reap()
        alive = [descendant for descendant in descendants(process_id) if is_alive(descendant)]
        if not alive:
            return
        if time.monotonic() > deadline:
            end(alive, signal_number=signal.SIGKILL)
        time.sleep(0.05)
