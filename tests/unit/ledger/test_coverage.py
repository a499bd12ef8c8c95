"""From which day on what a feed covers is another."""

from __future__ import annotations

import datetime as dt

import pytest

from threegaps.ledger.coverage import Range, changed_days


def days(*ends: str) -> tuple[Range, ...]:
    """Ranges written `2026-01-01/2026-03-31`."""
    return tuple(Range(*(dt.date.fromisoformat(day) for day in written.split("/"))) for written in ends)


@pytest.mark.parametrize(
    ("before", "now", "changed"),
    [
        (("2026-01-01/2026-03-31",), ("2026-01-01/2026-03-31",), None),
        (("2026-01-01/2026-03-31",), ("2026-01-01/2026-04-30",), "2026-04-01/2026-04-30"),
        (("2026-01-01/2026-04-30",), ("2026-01-01/2026-03-31",), "2026-04-01/2026-04-30"),
        ((), ("2026-01-01/2026-03-31",), "2026-01-01/2026-03-31"),
        (("2026-01-01/2026-03-31",), (), "2026-01-01/2026-03-31"),
        # a gap closes: everything behind it is another
        (
            ("2026-01-01/2026-01-31", "2026-03-01/2026-06-30"),
            ("2026-01-01/2026-06-30",),
            "2026-02-01/2026-06-30",
        ),
        # and opens, when a month is taken back
        (
            ("2026-01-01/2026-06-30",),
            ("2026-01-01/2026-01-31", "2026-03-01/2026-06-30"),
            "2026-02-01/2026-06-30",
        ),
        # an earlier beginning
        (("2026-02-01/2026-03-31",), ("2026-01-01/2026-03-31",), "2026-01-01/2026-03-31"),
    ],
)
def test_the_days_that_changed(before: tuple[str, ...], now: tuple[str, ...], changed: str | None) -> None:
    assert changed_days(days(*before), days(*now)) == (days(changed)[0] if changed else None)
