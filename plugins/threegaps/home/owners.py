"""Whose a folder is for a time: a process, which is known again even where another one has its number now."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from threegaps.errors import ServiceError
from threegaps.home.files import read_regular

_FILE = "owner.json"
_LARGEST_FILE_BYTES = 16_384
# Linux gives no process this number, nor one above it.
_NO_PROCESS = 2**22
_PROC = Path("/proc")
_NAMES = ("folder", "pid", "started", "boot", "namespace")


def note_owner(folder: Path) -> None:
    """Write into *folder* that it is this process's."""
    (folder / _FILE).write_text(json.dumps(_owner(folder, os.getpid())), encoding="utf-8")


def is_left(folder: Path) -> bool:
    """Whether the folder's owner is certainly gone; not where none is noted, or it cannot be told (Linux tells it).

    What another boot noted stays: it may be another machine's, whose disk this is, too.

    Raises:
        ServiceError: What is noted is of another folder (this one is a copy), or is no such note.
        OSError: It cannot be read.
        ValueError: It is too large, or no JSON.
    """
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid() or None in _owner(folder, os.getpid()).values():
        return False
    try:
        noted = json.loads(read_regular(folder / _FILE, most_bytes=_LARGEST_FILE_BYTES))
    except FileNotFoundError:
        return False
    kinds = {name: type(value) for name, value in noted.items()} if isinstance(noted, dict) else {}
    if (
        kinds != dict.fromkeys(_NAMES, str) | {"pid": int}
        or not 0 < noted["pid"] < _NO_PROCESS
        or noted["folder"] != str(folder.resolve())
    ):
        raise ServiceError(
            f"Its {_FILE} does not say whose it is.", advice="see whether anybody keeps it, or remove it by hand."
        )
    now = _owner(folder, noted["pid"])
    # Of another boot's or another namespace's processes nothing is seen from here.
    return bool(noted != now and noted | {"started": now["started"]} == now)


def _owner(folder: Path, process_id: int) -> dict[str, str | int | None]:
    """What tells a process from every other one, and its folder; None where the system does not say it."""
    boot, namespace = _read(_PROC / "sys/kernel/random/boot_id"), _link(_PROC / "self/ns/pid")
    said = (str(folder.resolve()), process_id, _started(process_id), boot, namespace)
    return dict(zip(_NAMES, said, strict=True))


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
