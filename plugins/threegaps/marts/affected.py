"""Touch × reach: which slices a build must make anew, and which touches stand behind a slice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from threegaps.calendar import add_months
from threegaps.marts.manifest import Manifest
from threegaps.marts.reach import AS_OF, Reach

EVERYWHERE = "*"
OPEN_START, OPEN_END = dt.date.min, dt.date.max
"""Stand for the database's -infinity and infinity."""


@dataclass(frozen=True, slots=True)
class Touch:
    """One row of ``ops.touch``; *source* is the feed, the seed or the model that was touched."""

    touch_id: int
    cause: str
    source: str | None
    county_code: str
    period_from: dt.date
    period_to: dt.date


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """An indicator in a county (or everywhere) over a range of days."""

    indicator_code: str
    area_code: str
    period_start: dt.date
    period_end: dt.date


def whole(code: str) -> Slice:
    """All of an indicator."""
    return Slice(code, EVERYWHERE, OPEN_START, OPEN_END)


def affected_slices(manifest: Manifest, touches: Iterable[Touch]) -> list[Slice]:
    """What *touches* affect, with ranges of a county that meet merged into one."""
    touched = list(touches)
    changed = [touch.source for touch in touched if touch.cause in {"seed", "model"} and touch.source]
    fed = manifest.indicators_fed_by(changed)
    result: list[Slice] = []
    for indicator in manifest.indicators:
        if indicator.code in fed:
            result.append(whole(indicator.code))
        else:
            result += reached_slices(indicator.code, indicator.reach, touched)
    return result


def reached_slices(code: str, reach_of: Mapping[str, Reach], touches: Iterable[Touch]) -> list[Slice]:
    """What *touches* of feeds and passing days affect of an indicator whose inputs reach as far as *reach_of* says."""
    return _merged(_reached(code, reach_of, touches))


def _reached(code: str, reach_of: Mapping[str, Reach], touches: Iterable[Touch]) -> Iterator[Slice]:
    for touch in touches:
        key = AS_OF if touch.cause == "as_of" else touch.source
        reach = reach_of.get(key) if key and touch.cause in {"batch", "as_of"} else None
        if reach is None:
            continue
        first, last = reached_period(reach, touch.period_from, touch.period_to)
        area = EVERYWHERE if reach.is_everywhere or touch.county_code == "unknown" else touch.county_code
        yield Slice(code, area, first, last)


def reached_period(reach: Reach, first: dt.date, last: dt.date) -> tuple[dt.date, dt.date]:
    """The days that a touch of *first* to *last* reaches, by whole months."""
    start = OPEN_START
    if reach.first_month is not None and first != OPEN_START:
        start = add_months(first.replace(day=1), reach.first_month)
    if reach.last_month is None or last == OPEN_END:
        return start, OPEN_END
    return start, add_months(last.replace(day=1), reach.last_month + 1) - dt.timedelta(days=1)


def touching_period(reach: Reach, first: dt.date, last: dt.date) -> tuple[dt.date, dt.date]:
    """The inverse: touches that meet the days returned reach the period *first* to *last*."""
    start = OPEN_START if reach.last_month is None else add_months(first.replace(day=1), -reach.last_month)
    if reach.first_month is None:
        return start, OPEN_END
    return start, add_months(last.replace(day=1), 1 - reach.first_month) - dt.timedelta(days=1)


def _merged(slices: Iterable[Slice]) -> list[Slice]:
    result: list[Slice] = []
    for piece in sorted(set(slices)):
        last = result[-1] if result else None
        if (
            last is not None
            and (last.indicator_code, last.area_code) == (piece.indicator_code, piece.area_code)
            and (last.period_end == OPEN_END or piece.period_start <= last.period_end + dt.timedelta(days=1))
        ):
            result[-1] = Slice(
                last.indicator_code, last.area_code, last.period_start, max(last.period_end, piece.period_end)
            )
        else:
            result.append(piece)
    everywhere = [piece for piece in result if piece.area_code == EVERYWHERE]
    return [
        piece
        for piece in result
        if piece.area_code == EVERYWHERE
        or not any(
            wide.period_start <= piece.period_start and piece.period_end <= wide.period_end for wide in everywhere
        )
    ]


def touches_of_batches(connection: psycopg.Connection[Any], batch_ids: Iterable[int]) -> list[Touch]:
    """The touches that batches left."""
    return _touches(connection, "batch_id = any(%s)", list(batch_ids))


def touches_of_build(connection: psycopg.Connection[Any], build_id: int) -> list[Touch]:
    """The touches that a build consumed."""
    return _touches(connection, "touch_id in (select touch_id from ops.build_touch where build_id = %s)", build_id)


def _touches(connection: psycopg.Connection[Any], condition: str, parameter: object) -> list[Touch]:
    cursor = connection.cursor(row_factory=tuple_row)
    rows = cursor.execute(
        "select touch_id, cause, coalesce(model, feed), county_code,"
        " case when period_from = '-infinity' then date '0001-01-01' else period_from end,"
        " case when period_to = 'infinity' then date '9999-12-31' else least(period_to, date '9999-12-31') end"
        f" from ops.touch where {condition} order by touch_id".encode(),
        [parameter],
    ).fetchall()
    return [Touch(*row) for row in rows]


def write_affected(connection: psycopg.Connection[Any], build_id: int, slices: Iterable[Slice]) -> None:
    """Enter the slices of a build in ``ops.affected``."""
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "copy ops.affected (build_id, indicator_code, area_code, period_start, period_end) from stdin"
        ) as copy,
    ):
        for piece in slices:
            copy.write_row((build_id, piece.indicator_code, piece.area_code, *database_range(piece)))


def database_range(piece: Slice) -> tuple[str, str]:
    """First and last day of a slice as the database writes them."""
    first = "-infinity" if piece.period_start == OPEN_START else piece.period_start.isoformat()
    return first, "infinity" if piece.period_end == OPEN_END else piece.period_end.isoformat()
