"""Touches: which counties and periods something spoke of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from threegaps.calendar import add_months

if TYPE_CHECKING:
    import psycopg

AreaPeriod = tuple[str, dt.date, dt.date]
"""County, first day, last day; `OPEN_END` as last day stands for every later period."""

OPEN_END = dt.date.max
EARLIEST = dt.date(1900, 1, 1)
"""Stands for a beginning that is not known."""
UNKNOWN_COUNTY = "unknown"


def whole_months(spans: Iterable[AreaPeriod]) -> list[AreaPeriod]:
    """The same spans by whole months, with no two of a county overlapping or adjoining.

    No period of an indicator is shorter than a month, so nothing is lost, and a batch of a million rows leaves a few
    touches instead of as many as it has days.
    """
    by_county: dict[str, list[tuple[dt.date, dt.date]]] = {}
    for county, first, last in spans:
        by_county.setdefault(county, []).append((first.replace(day=1), _month_end(last)))
    result: list[AreaPeriod] = []
    for county in sorted(by_county):
        current: tuple[dt.date, dt.date] | None = None
        for first, last in sorted(by_county[county]):
            if current is not None and (current[1] == OPEN_END or first <= current[1] + dt.timedelta(days=1)):
                current = (current[0], max(current[1], last))
                continue
            if current is not None:
                result.append((county, *current))
            current = (first, last)
        if current is not None:
            result.append((county, *current))
    return result


def _month_end(day: dt.date) -> dt.date:
    if day.year >= OPEN_END.year:
        return OPEN_END
    return add_months(day.replace(day=1), 1) - dt.timedelta(days=1)


def record_batch_touches(
    connection: psycopg.Connection[Any], batch_id: int, feed: str, touched: Iterable[AreaPeriod]
) -> int:
    """Enter what a batch touched; how many touches that made."""
    rows = [
        (batch_id, feed, county, first, "infinity" if last == OPEN_END else last.isoformat())
        for county, first, last in whole_months(touched)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.touch (cause, batch_id, feed, county_code, period_from, period_to)"
            " values ('batch', %s, %s, %s, %s, %s::date)",
            rows,
        )
    return len(rows)
