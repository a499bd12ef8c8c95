"""What stands of a runtime home's services for all to see: a lock while they run, and the supervisor's account."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from threegaps.settings import Settings


def run_folder(settings: Settings) -> Path:
    """Where lock and status of the running services lie."""
    return settings.home / "run"


def status_path(settings: Settings) -> Path:
    """The supervisor's own account of steps and services."""
    return run_folder(settings) / "status.json"


def try_lock(settings: Settings, name: str = "supervisor") -> int | None:
    """Take the lock *name*, which keeper and supervisor hold while they run, or whoever else it is of.

    Returns:
        Its descriptor; None where somebody holds it.
    """
    run_folder(settings).mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run_folder(settings) / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_running(settings: Settings) -> bool:
    """Whether a supervisor of this home runs."""
    return is_locked(settings)


def is_locked(settings: Settings, name: str = "supervisor") -> bool:
    """Whether somebody holds the lock *name*."""
    lock = try_lock(settings, name)
    if lock is not None:
        os.close(lock)
    return lock is None


def read_status(settings: Settings) -> dict[str, Any]:
    """The last written account; empty before the first ``up``."""
    try:
        return dict(json.loads(status_path(settings).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
