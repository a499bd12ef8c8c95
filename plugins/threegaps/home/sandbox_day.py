"""The day on which the stand-in departments of a runtime home stand."""

from __future__ import annotations

import datetime as dt
import json

from threegaps.settings import Settings

_OPENING_DAY = "2026-06-30"


def sandbox_day(settings: Settings) -> dt.date:
    """The day on which the stand-in departments stand: they know nothing that comes later."""
    path = settings.sandbox_folder / "clock.json"
    clock = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    given = settings.environment.get("THREEGAPS_SANDBOX_LAST_DAY")
    return dt.date.fromisoformat(str(clock.get("day") or given or _OPENING_DAY))
