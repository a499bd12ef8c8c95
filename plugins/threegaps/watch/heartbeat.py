"""The heartbeat file: that the watch lives, and what it could not look at, for those who watch the watch."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from threegaps.home import processes
from threegaps.home.files import read_regular
from threegaps.settings import SHANGHAI, Settings
from threegaps.watch.files import as_json, write_whole

INTERVAL_SECONDS = 15.0
"""After so many seconds the next pass begins."""
STALE_AFTER = dt.timedelta(minutes=2)
"""A watch that has not beaten for so long is dead or hangs, or is held up: nobody may rely on it."""
HUNG_AFTER = dt.timedelta(minutes=4)
"""One that has not beaten for so long is ended; no pass may take that long."""

RUNBOOK = "docs/runbook.md#the-watch-has-stopped"
"""What to do about a watch that is dead or hangs; it cannot tell of itself."""
COMMAND = "threegaps watch --once"
"""What looks and tells once meanwhile."""

_LARGEST_FILE_BYTES = 1_048_576
_SKEW = dt.timedelta(seconds=5)
"""So far two clocks that are read one after the other may be apart."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One beat, at the end of each pass.

    Args:
        pid: The watch's process.
        at: When the pass ended.
        pass_seconds: How long it took.
        passes: How many there have been since it started.
        not_looked_at: What could not be looked at, each with its reason.
        uptime_seconds: When the pass ended by the machine's own clock, which nobody sets and which stands still while
            the machine sleeps; None in a file of an older version. Other machines have another one.
    """

    pid: int
    at: dt.datetime
    pass_seconds: float
    passes: int
    not_looked_at: Sequence[str] = ()
    uptime_seconds: float | None = field(default_factory=time.monotonic)

    def is_stale(self, now: dt.datetime) -> bool:
        """Whether the watch that beat so is dead or hangs."""
        return not is_fresh(self.at, now)


def is_fresh(at: dt.datetime, now: dt.datetime) -> bool:
    """Whether a watch that did something last at *at* is at work at *now*."""
    # What is of the future says nothing of now: the clock was set back since.
    return -_SKEW <= now - at <= STALE_AFTER


def watch_folder(settings: Settings) -> Path:
    """Where the watch keeps its files."""
    return settings.home / "watch"


def heartbeat_path(settings: Settings) -> Path:
    """The heartbeat file."""
    return watch_folder(settings) / "heartbeat.json"


def beat(settings: Settings, heartbeat: Heartbeat) -> None:
    """Write one beat."""
    write_whole(heartbeat_path(settings), as_json(asdict(heartbeat)))


def last_beat(settings: Settings) -> Heartbeat | None:
    """The last beat; None where there has been none, or the file is damaged."""
    try:
        content = json.loads(read_regular(heartbeat_path(settings), most_bytes=_LARGEST_FILE_BYTES))
        content.setdefault("uptime_seconds", None)
        known = {one.name: content[one.name] for one in fields(Heartbeat)}
        found = Heartbeat(**known | {"at": dt.datetime.fromisoformat(content["at"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return found if _is_whole(found) else None


def state(settings: Settings, now: dt.datetime) -> str:
    """Whether the watch lives: ``running``, ``hung``, ``dead`` or ``not seen yet``; a dead one by its process here."""
    last = last_beat(settings)
    if last is None:
        return "not seen yet"
    if not settings.is_server and not processes.is_alive(last.pid):
        return "dead"
    return "hung" if last.is_stale(now) else "running"


def _is_whole(found: Heartbeat) -> bool:
    """Whether all that was read is of the kind that is written."""
    numbers = (
        found.pid,
        found.pass_seconds,
        found.passes,
        *(() if found.uptime_seconds is None else [found.uptime_seconds]),
    )
    return (
        found.at.tzinfo is not None
        and all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers)
        and isinstance(found.pid, int)
        and found.pid > 0
        and isinstance(found.not_looked_at, list)
        and all(isinstance(one, str) for one in found.not_looked_at)
    )


def is_hung(settings: Settings, process_id: int) -> bool:
    """Whether the watch that is this process of this machine does not beat, or not any more.

    One that has not beaten yet is starting, but not for longer than a pass may take; where nothing can be written none
    can be seen to beat.
    """
    last = last_beat(settings)
    # By the machine's own clock: one that is set, by however much, says nothing of the watch.
    since = None if last is None or last.pid != process_id else _seconds_since(last)
    if since is None:
        since = processes.age_seconds(process_id)
    if since is None or since <= HUNG_AFTER.total_seconds():
        return False
    folder = watch_folder(settings)
    folder = folder if folder.exists() else settings.home
    try:
        return os.statvfs(folder).f_bavail > 0 and os.access(folder, os.W_OK)
    except OSError:
        return False


def _seconds_since(last: Heartbeat) -> float | None:
    """How long ago a watch of this machine beat; None where it was before the machine started, or does not say."""
    since = None if last.uptime_seconds is None else time.monotonic() - last.uptime_seconds
    return None if since is None or since < 0 else since


def main() -> int:
    """For a container's health check: 0 while the watch of this home beats."""
    beat_ = last_beat(Settings.load())
    return 0 if beat_ is not None and not beat_.is_stale(dt.datetime.now(SHANGHAI)) else 1
