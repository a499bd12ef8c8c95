"""When files come: each on its day, into the SFTP server's folder or the department's drop folder.

What comes after the sandbox's day waits in HOME/outbox, one folder a day, until the clock is moved. Files carry the
time of their day, never that of their making.
"""

from __future__ import annotations

import os
import shutil
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

SHANGHAI = timezone(timedelta(hours=8))
FIRST_HOUR = time(9, 0)
OUTBOX = "outbox"


def folder_for(home: Path, medium: str, day: date, today: date) -> Path:
    """Where a file of this medium (`sftp`, `drop/<department>`) is written that comes on `day`."""
    return home / medium if day <= today else home / OUTBOX / day.isoformat() / medium


def set_time(path: Path, day: date, order: int) -> None:
    """Give a file the time of its day; `order` counts the files of a consignment, a minute each.

    A day that has not come by the machine's own clock becomes yesterday: a reader that waits until a file has been
    quiet would wait for ever.
    """
    latest = min(datetime.combine(day, FIRST_HOUR, SHANGHAI), datetime.now(SHANGHAI) - timedelta(days=1))
    moment = (latest + timedelta(minutes=order)).timestamp()
    os.utime(path, (moment, moment))


def break_off(path: Path, share: float) -> None:
    """Leave only the beginning of a file, as when the line went dead."""
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share))


def deliver(home: Path, today: date) -> None:
    """Put what has come by `today` where readers find it, day after day, in the order of their times."""
    outbox = home / OUTBOX
    for folder in sorted(outbox.iterdir()) if outbox.exists() else []:
        if date.fromisoformat(folder.name) > today:
            break
        waiting = [path for path in folder.rglob("*") if path.is_file()]
        for path in sorted(waiting, key=lambda found: (found.stat().st_mtime, str(found))):
            target = home / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            # The drop folder may be another file system: copied under a name that nobody reads, then renamed.
            draft = target.with_name(f".{target.name}.draft")
            shutil.copy2(path, draft)
            draft.replace(target)
        shutil.rmtree(folder)
