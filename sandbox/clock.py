"""The day on which a sandbox stands: nothing that comes later can be seen of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from sandbox.calendar import OPENING_DAY


def today(home: Path) -> date:
    """The sandbox's day; a home without a clock stands on the opening day."""
    path = home / "clock.json"
    return date.fromisoformat(json.loads(path.read_text("ascii"))["day"]) if path.exists() else OPENING_DAY


def end_of_today(home: Path) -> str:
    """The last moment of the sandbox's day, Shanghai wall clock."""
    return f"{today(home)} 23:59:59"


def set_today(home: Path, day: date) -> None:
    """Move the clock; servers look at it with each request."""
    draft = home / "clock.json.draft"
    draft.write_text(json.dumps({"day": day.isoformat()}) + "\n", "ascii")
    draft.replace(home / "clock.json")
