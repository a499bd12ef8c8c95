"""Small files: read without ever waiting for one that others have damaged or replaced, and written whole."""

from __future__ import annotations

import datetime as dt
import json
import os
import stat
from pathlib import Path
from typing import Any


def read_regular(path: Path, *, most_bytes: int, errors: str = "strict") -> str:
    """The text of a regular file; a pipe or a device is not read, it may never end.

    Args:
        errors: What is done about bytes that are not UTF-8, as `bytes.decode` has it.

    Raises:
        FileNotFoundError: There is none.
        OSError: It cannot be read, or is no regular file.
        ValueError: It has more than *most_bytes*, or is not in UTF-8.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no regular file")
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError
    return content.decode("utf-8", errors)


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
