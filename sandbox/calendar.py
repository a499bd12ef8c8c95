"""The sandbox's own time: the window that its departments speak of, the day on which a new sandbox stands, and the last
day that it can be moved to.

A delivery comes on the last day of the period that it speaks of: the days that a real department takes to make it are
left out. What is late comes so many days after.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, timedelta


def opening_day(written: str) -> date:
    """The day that is asked for; a program that is given none says so and ends."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        said = f"THREEGAPS_SANDBOX_OPENING_DAY is {written!r}, which is no day: write it like 2026-06-30."
        raise SystemExit(said) from None


FIRST_MONTH = date(2024, 1, 1)
# A growth of wages needs a whole year before: contribution wages begin a year earlier than everything else.
FIRST_WAGE_MONTH = date(2023, 1, 1)
# What schools send by the term begins with the one that the first month lies in.
FIRST_TERM = date(2023, 9, 1)
# Some windows close only by the end of the time that it has: a comparison may open it then.
OPENING_DAY = opening_day(os.environ.get("THREEGAPS_SANDBOX_OPENING_DAY") or "2026-06-30")
HORIZON = date(2026, 12, 31)


@dataclass(frozen=True, slots=True)
class Span:
    """A month, quarter, school term or year: its delivery key (`2026-06`, `2026Q2`, `2025-2026-1`, `2026`), first and
    last day."""

    key: str
    first: date
    last: date


def add_months(day: date, months: int) -> date:
    """First of a month, `months` later."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def months(last: date, since: date = FIRST_MONTH) -> list[Span]:
    """Months of the window, or *since* a month of its own, that have ended by `last`."""
    return [Span(f"{first:%Y-%m}", first, end) for first, end in _spans(1, last, since)]


def quarters(last: date) -> list[Span]:
    """Quarters of the window that have ended by `last`."""
    return [Span(f"{first.year}Q{(first.month + 2) // 3}", first, end) for first, end in _spans(3, last, FIRST_MONTH)]


def terms(last: date) -> list[Span]:
    """School terms that have ended in the window by `last`: September to January, February to August."""
    found = []
    for year in range(FIRST_MONTH.year, last.year + 1):
        winter = Span(f"{year - 1}-{year}-1", date(year - 1, 9, 1), date(year, 1, 31))
        summer = Span(f"{year - 1}-{year}-2", date(year, 2, 1), date(year, 8, 31))
        found += [term for term in (winter, summer) if FIRST_MONTH <= term.last <= last]
    return found


def years(last: date) -> list[Span]:
    """Years that have ended in the window by `last`."""
    ended = range(FIRST_MONTH.year, last.year + (last == date(last.year, 12, 31)))
    return [Span(str(year), date(year, 1, 1), date(year, 12, 31)) for year in ended]


def _spans(length: int, last: date, first: date) -> list[tuple[date, date]]:
    found = []
    while (end := add_months(first, length) - timedelta(days=1)) <= last:
        found.append((first, end))
        first = add_months(first, length)
    return found
