"""Whose a folder is for a time: a process, which is known again even where another one has its number now."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

_FILE = "owner.json"
_PROC = Path("/proc")


def note_owner(folder: Path) -> None:
    """Write into *folder* that it is this process's."""
    (folder / _FILE).write_text(json.dumps(_owner(os.getpid())), encoding="utf-8")


def is_left(folder: Path) -> bool:
    """Whether the folder's owner is certainly gone; not where none is noted, or it cannot be told (Linux tells it)."""
    try:
        if folder.stat().st_uid != os.geteuid():
            return False
        noted = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        number = int(noted["pid"])
    except (OSError, ValueError, TypeError, KeyError):
        return False
    here = _owner(os.getpid())
    if None in here.values() or {*here} - {*noted} or noted["host"] != here["host"]:
        return False
    if noted["boot"] != here["boot"]:
        return True
    # Of another namespace's processes nothing is seen from here.
    return bool(noted["namespace"] == here["namespace"]) and _owner(number)["started"] != noted["started"]


def _owner(process_id: int) -> dict[str, str | int | None]:
    """What tells a process from every other one; None where the system does not say it."""
    return {
        "pid": process_id,
        "started": _started(process_id),
        "boot": _read(_PROC / "sys/kernel/random/boot_id"),
        "namespace": _link(_PROC / "self/ns/pid"),
        "host": socket.gethostname(),
    }


def _started(process_id: int) -> str | None:
    """When a living process began, in the clock ticks of the system; the 22nd field."""
    fields = (_read(_PROC / str(process_id) / "stat") or "").rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in {"Z", "X"} else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _link(path: Path) -> str | None:
    try:
        return str(path.readlink())
    except OSError:
        return None
