"""The heartbeat file: that the watch lives, and what it could not look at, for those who watch the watch."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from threegaps.settings import SHANGHAI, Settings
from threegaps.watch.journal import write_whole

INTERVAL_SECONDS = 15.0
"""After so many seconds the next pass begins."""
STALE_AFTER = dt.timedelta(minutes=2)
"""A watch that has not beaten for so long is dead or hangs, or is held up: nobody may rely on it."""
HUNG_AFTER = dt.timedelta(minutes=4)
"""One that has not beaten for so long is ended; no pass may take that long."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One beat, at the end of each pass.

    Args:
        pid: The watch's process.
        at: When the pass ended.
        pass_seconds: How long it took.
        passes: How many there have been since it started.
        not_looked_at: What could not be looked at, each with its reason.
    """

    pid: int
    at: dt.datetime
    pass_seconds: float
    passes: int
    not_looked_at: Sequence[str] = ()

    def is_stale(self, now: dt.datetime) -> bool:
        """Whether the watch that beat so is dead or hangs."""
        return now - self.at > STALE_AFTER


def watch_folder(settings: Settings) -> Path:
    """Where the watch keeps its files."""
    return settings.home / "watch"


def heartbeat_path(settings: Settings) -> Path:
    """The heartbeat file."""
    return watch_folder(settings) / "heartbeat.json"


def beat(settings: Settings, heartbeat: Heartbeat) -> None:
    """Write one beat."""
    write_whole(heartbeat_path(settings), asdict(heartbeat))


def last_beat(settings: Settings) -> Heartbeat | None:
    """The last beat; None where there has been none, or the file is damaged."""
    try:
        content = json.loads(heartbeat_path(settings).read_text(encoding="utf-8"))
        return Heartbeat(**content | {"at": dt.datetime.fromisoformat(content["at"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_hung(settings: Settings, process_id: int) -> bool:
    """Whether the watch that is this process has beaten, and does not any more.

    One that has not beaten yet is starting; where the disk is full none can be seen to beat.
    """
    last = last_beat(settings)
    if last is None or last.pid != process_id or dt.datetime.now(SHANGHAI) - last.at <= HUNG_AFTER:
        return False
    try:
        return os.statvfs(watch_folder(settings)).f_bavail > 0
    except OSError:
        return False


def main() -> int:
    """For a container's health check: 0 while the watch of this home beats."""
    beat_ = last_beat(Settings.load())
    return 0 if beat_ is not None and not beat_.is_stale(dt.datetime.now(SHANGHAI)) else 1
