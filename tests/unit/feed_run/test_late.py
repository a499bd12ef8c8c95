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
    assert set(looks(feed(delivery="2026-07"), DUE, DUE + dt.timedelta(days=1))).isdisjoint(week)


@pytest.mark.parametrize("changes", [{"late": ()}, {"paused": True}, {"due_at": None}])
def test_nothing_is_looked_for_where_nothing_is_late(changes: dict[str, Any]) -> None:
    assert look_due(feed(**changes), DUE + dt.timedelta(days=1)) is None
