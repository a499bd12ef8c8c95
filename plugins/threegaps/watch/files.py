"""Small files, written whole."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any


def write_whole(path: Path, text: str, *, mode: int = 0o640, is_kept: bool = True) -> None:
    """Write *text* so that a reader sees either what was there or all of it.

    Args:
        mode: Who may read it; by default its owner's group at most.
        is_kept: It outlives a machine that breaks down; what is made anew in each pass need not.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
            # Whatever a process that broke off left there, and whatever the mask says.
            os.fchmod(file.fileno(), mode)
            file.write(text)
            if is_kept:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def as_json(content: Any) -> str:
    """*content* as it is written, instants in ISO 8601."""
    return json.dumps(content, ensure_ascii=False, indent=1, default=_written)


def _written(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written")
