"""Small files: read without ever waiting for one that others have damaged or replaced, and written whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read_regular(path: Path, *, most_bytes: int) -> str:
    """The text of a regular file; a pipe or a device is not read, it may never end.

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
    return content.decode("utf-8")


def replace(path: Path, text: str) -> None:
    """Write *text* beside *path* and put it in its place at once, readable to all.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
