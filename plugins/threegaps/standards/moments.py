"""How a moment is written for people: one form everywhere, to the minute, by the province's clock, with its zone."""

from __future__ import annotations

import datetime as dt

from threegaps.settings import SHANGHAI

NEVER = dt.datetime(9999, 12, 30, tzinfo=SHANGHAI)
"""Stands for a moment that no calendar has: the ledger's may be infinite."""


def clock(moment: dt.datetime, *, with_seconds: bool = False) -> str:
    """*moment* like ``2026-06-30 09:00 +08:00``; before a line of a log ``2026-06-30 09:00:00 +08:00``."""
    local = moment.astimezone(SHANGHAI)
    zone = local.strftime("%z")
    seconds = f":{local:%S}" if with_seconds else ""
    return f"{local:%Y-%m-%d %H:%M}{seconds} {zone[:3]}:{zone[3:5]}"


def last_moment(moment: dt.datetime) -> dt.datetime:
    """The moment before *moment*, whose day it is that is judged by: midnight belongs to the day that it ends."""
    return moment - dt.timedelta(microseconds=1)
