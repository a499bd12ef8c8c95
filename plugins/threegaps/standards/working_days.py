"""Working days: which days offices are open, by the State Council's yearly notices on public holidays.

The days and their source lie in ``reference/working_days.csv``; a year's notice comes in the autumn before it. Of a
year that has no row there only the weekends are known.
"""

from __future__ import annotations

import csv
import datetime as dt
from functools import cache
from importlib.resources import files
from typing import Literal

_SATURDAY = 5


@cache
def _special_days() -> dict[dt.date, Literal["holiday", "working_day"]]:
    """The days that a notice makes something else than their day of the week does, or confirms as a holiday."""
    days: dict[dt.date, Literal["holiday", "working_day"]] = {}
    for row in _rows():
        day, last = dt.date.fromisoformat(row["first_day"]), dt.date.fromisoformat(row["last_day"])
        while day <= last:
            days[day] = "holiday" if row["kind"] == "holiday" else "working_day"
            day += dt.timedelta(days=1)
    return days


@cache
def known_years() -> frozenset[int]:
    """The years whose notice is in the table; of every other one only the weekends are known."""
    return frozenset(int(row["year"]) for row in _rows())


def known_until() -> dt.date:
    """The last day of the last year that is known."""
    return dt.date(max(known_years()), 12, 31)


def is_working_day(day: dt.date) -> bool:
    """Whether offices are open on *day*; in a year that is not known by the day of the week alone."""
    special = _special_days().get(day)
    return special == "working_day" if special else day.weekday() < _SATURDAY


def working_day_from(day: dt.date) -> dt.date:
    """*day* itself where it is a working day, else the next one."""
    while not is_working_day(day):
        day += dt.timedelta(days=1)
    return day


def _rows() -> list[dict[str, str]]:
    with files("threegaps.standards").joinpath("reference", "working_days.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
