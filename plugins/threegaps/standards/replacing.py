"""Writing a file anew: beside the old one, which stands until the new one is whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from threegaps.errors import SettingsError


@contextmanager
def replaced(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of *path* when the block has ended without an error.

    Args:
        path: The file; a link to one leads to it.
        mode: Who may read it.

    Raises:
        SettingsError: It cannot be written there.
    """
    target = path.resolve()
    if target.is_dir():
        raise SettingsError(f"{path} is a folder.", advice="name a file in it.")
    if not target.parent.is_dir():
        raise SettingsError(f"There is no folder {path.parent}.", advice="make it first, or name another file.")
    try:
        number, name = tempfile.mkstemp(prefix=".draft-", suffix=target.suffix, dir=target.parent)
    except OSError as error:
        raise SettingsError(
            f"Nothing can be written to the folder {path.parent}: {error.strerror}.", advice="name another file."
        ) from None
    draft = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            if hasattr(os, "fchmod"):
                # Windows has none before Python 3.13, and its drafts are their owner's anyway.
                os.fchmod(number, mode)
            yield file
            if not file.closed:
                file.flush()
                os.fsync(number)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise SettingsError(
            f"{path} cannot be written: {error.strerror or type(error).__name__}.",
            advice="make room, or name another file.",
        ) from None
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
