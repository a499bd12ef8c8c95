"""Whether somebody may still be writing a file.

A file is taken once it has been left alone for the declared time: its time of change is that old, or it had the same
size, time and content when it was looked at before, that long ago (where its clock is not ours).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from threegaps.errors import StillBeingWrittenError

# A time of change that lies ahead of us says nothing: the other clock is not ours.
_SAME_CLOCK_SECONDS = 5.0
_LONGEST_BETWEEN_LOOKS_SECONDS = 120.0
# Of a larger file size and time must do: it would be fetched three times.
_MOST_BYTES_TO_COMPARE = 256 << 20


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file in a department's folder.

    Args:
        name: Its name, in whole characters.
        chunks: Gives its bytes, within the declared limit; fails when it changes meanwhile.
    """

    name: str
    size_bytes: int
    modified_at: dt.datetime
    chunks: Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class _Look:
    size_bytes: int
    modified_at: dt.datetime
    digest: bytes | None
    at_seconds: float


class Looks:
    """Remembers what files looked like, over the looks of one task.

    Args:
        quiet_seconds: How long a file must have been left alone.
    """

    def __init__(self, quiet_seconds: float) -> None:
        self._quiet_seconds = quiet_seconds
        self._seen: dict[str, _Look] = {}

    def seconds_left(self, folder: str, file: FoundFile) -> float:
        """For how long *file* must still be left alone before it is taken; 0 when it can be."""
        age = (dt.datetime.now(dt.UTC) - file.modified_at).total_seconds()
        if age >= -_SAME_CLOCK_SECONDS:
            return max(0.0, self._quiet_seconds - age)
        wait, key = min(self._quiet_seconds, _LONGEST_BETWEEN_LOOKS_SECONDS), f"{folder}/{file.name}"
        try:
            look = _Look(file.size_bytes, file.modified_at, _digest(file), time.monotonic())
        except StillBeingWrittenError:
            self._seen.pop(key, None)
            return wait
        before = self._seen.get(key)
        if before is not None and replace(before, at_seconds=look.at_seconds) == look:
            return max(0.0, wait - (look.at_seconds - before.at_seconds))
        self._seen[key] = look
        return wait


def _digest(file: FoundFile) -> bytes | None:
    if file.size_bytes > _MOST_BYTES_TO_COMPARE:
        return None
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.digest()
