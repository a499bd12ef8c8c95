"""When a late feed is looked for again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from threegaps.feed_run.late import look_due
from threegaps.ledger.expected import Standing
from threegaps.settings import SHANGHAI

DUE = dt.datetime(2026, 7, 15, 13, 0, tzinfo=SHANGHAI)


def feed(**changes: Any) -> Standing:
    fields = dict.fromkeys(Standing.__slots__, None) | {
        "feed": "hrss/wage_records",
        "delivery": "2026-06",
        "due_at": DUE,
        "late": ("2026-06",),
        "late_since": DUE,
        "paused": False,
    }
    return Standing(**(fields | changes))


def looks(standing: Standing, first: dt.datetime, last: dt.datetime) -> list[str]:
    """The names of the looks between two moments, asked for every five minutes as the upkeep does."""
    found, now = [], first
    while now < last:
        if (look := look_due(standing, now)) is not None:
            found.append(look)
        now += dt.timedelta(minutes=5)
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(
    ("first_day", "days", "expected"),
    [(0, 1, 8), (0, 7, 56), (7, 1, 1), (6, 2, 9), (7, 30, 30), (300, 10, 10)],
)
def test_a_late_feed_is_looked_for_often_and_then_daily(first_day: int, days: int, expected: int) -> None:
    first = DUE + dt.timedelta(days=first_day)
    assert len(looks(feed(), first, first + dt.timedelta(days=days))) == expected


def test_no_two_looks_of_a_delivery_have_one_name() -> None:
    """Whichever they are: a run of that name would not be made."""
    week = looks(feed(), DUE, DUE + dt.timedelta(days=7))
    after = looks(feed(), DUE + dt.timedelta(days=7), DUE + dt.timedelta(days=40))
    assert not set(week) & set(after)
    assert set(looks(feed(late=("2026-07",)), DUE, DUE + dt.timedelta(days=1))).isdisjoint(week)


def test_a_gap_is_looked_for_by_its_own_age_whatever_falls_due_after_it() -> None:
    """Of a feed of days a later delivery is due each day, of one of months the next is due while the gap is old."""
    found: list[str] = []
    for day in range(40):
        newest = DUE + dt.timedelta(days=day)
        late = tuple(f"day {number:02}" for number in range(day + 1))
        silent = feed(delivery=late[-1], due_at=newest, late=late)
        found += looks(silent, newest, newest + dt.timedelta(days=1))
    assert len(set(found)) == len(found) == 56 + 33
    months = DUE + dt.timedelta(days=90)
    gap = feed(delivery="2026-09", due_at=months, late=("2026-06", "2026-09"))
    assert len(looks(gap, months, months + dt.timedelta(days=7))) == 7


@pytest.mark.parametrize("changes", [{"late": ()}, {"paused": True}, {"late_since": None}])
def test_nothing_is_looked_for_where_nothing_is_late(changes: dict[str, Any]) -> None:
    assert look_due(feed(**changes), DUE + dt.timedelta(days=1)) is None
