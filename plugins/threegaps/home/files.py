"""Small files: read without ever waiting for one that others have damaged or replaced."""

from __future__ import annotations

import os
import stat
from pathlib import Path


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
