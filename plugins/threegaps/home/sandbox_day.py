"""The day on which the stand-in departments of a runtime home stand."""

from __future__ import annotations

import datetime as dt
import json

from threegaps.settings import Settings

_OPENING_DAY = dt.date(2026, 6, 30)


def sandbox_day(settings: Settings) -> dt.date:
    """The day on which the stand-in departments stand: they know nothing that comes later."""
    path = settings.sandbox_folder / "clock.json"
    clock = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if day := clock.get("day"):
        return dt.date.fromisoformat(str(day))
    return settings.sandbox_last_day or _OPENING_DAY
