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
import sys
import threading
import time
from collections.abc import Container, Iterable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc")
# Loaded once: a fork of a process with threads should load nothing.
_LIBRARY = ctypes.CDLL(None)


def adopt_orphans() -> None:
    """Make this process the parent of every descendant that loses its own (Linux; elsewhere nothing happens)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(signal_number: int = signal.SIGTERM) -> None:
    """For a child before exec: receive *signal_number* when the parent ends, however it ends (Linux)."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def tie_forks() -> None:
    """From now on whatever this process forks is killed when its own parent ends, and so on downwards (Linux).

    Airflow's executor workers wait for ever on a queue of a scheduler that is gone, and a task goes on without the
    worker that reports for it. Forks of other threads than the main one are left alone: the kernel takes the end of
    such a thread for the end of the parent.
    """
    forking: dict[str, int] = {}

    def note() -> None:
        is_main = threading.current_thread() is threading.main_thread()
        forking["parent"] = os.getpid() if is_main else 0

    def tie() -> None:
        if not (parent := forking["parent"]):
            return
        die_with_parent(signal.SIGKILL)
        if sys.platform == "linux" and os.getppid() != parent:
            # It ended before it could be said.
            os._exit(1)

    os.register_at_fork(before=note, after_in_child=tie)


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        _LIBRARY.prctl(option, value, 0, 0, 0)


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


def age_seconds(process_id: int) -> float | None:
    """How long the process has been running; None where that cannot be told (Linux tells it)."""
    try:
        fields = (_PROC / str(process_id) / "stat").read_bytes().rpartition(b")")[2].split()
        since_start = float((_PROC / "uptime").read_text(encoding="ascii").split()[0])
        # The 22nd field; those counted here begin with the third.
        return since_start - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


def children(process_id: int) -> list[int]:
    """The processes whose parent is *process_id*, adopted ones too."""
    found: list[int] = []
    try:
        for thread in (_PROC / str(process_id) / "task").iterdir():
            found += map(int, (thread / "children").read_text(encoding="ascii").split())
    except OSError:
        # A kernel that does not list them, or a thread that ended meanwhile.
        return [one for one, (parent, _) in _everyone().items() if parent == process_id]
    return found


def descendants(process_id: int) -> list[int]:
    """Every process below *process_id*, the nearest first; itself excluded."""
    below: dict[int, list[int]] = {}
    for one, (parent, _) in _everyone().items():
        below.setdefault(parent, []).append(one)
    found, waiting = [], list(below.get(process_id, ()))
    while waiting:
        current = waiting.pop(0)
        found.append(current)
        waiting.extend(below.get(current, ()))
    return found


def started_with(name: str) -> dict[int, dict[str, str]]:
    """The living processes that were started with a variable *name* in their environment, each with all of it.

    Those of other users are found by root alone.
    """
    wanted, found = f"{name}=".encode(), {}
    for process_id, (_, state) in _everyone().items():
        try:
            entries = (_PROC / str(process_id) / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if state != "Z" and any(entry.startswith(wanted) for entry in entries):
            pairs = (entry.decode(errors="replace").partition("=") for entry in entries if b"=" in entry)
            found[process_id] = {key: value for key, _, value in pairs}
    return found


def runs_in(folder: Path) -> dict[int, str]:
    """The living processes whose working folder is *folder*, each with the name of its program."""
    found = {}
    for process_id, (_, state) in _everyone().items():
        with contextlib.suppress(OSError):
            place = _PROC / str(process_id)
            if state != "Z" and (place / "cwd").readlink() == folder:
                # Of a program that was replaced since it was started the system says that, too.
                found[process_id] = (place / "exe").readlink().name.removesuffix(" (deleted)")
    return found


def _everyone() -> dict[int, tuple[int, str]]:
    """Parent's id and state letter of every process."""
    found = {}
    for entry in _PROC.iterdir() if _PROC.is_dir() else ():
        if entry.name.isdigit() and (status := _status(int(entry.name))) is not None:
            found[int(entry.name)] = status
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
