"""Which days each feed covers, by what has been loaded of it."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import psycopg


class Range(NamedTuple):
    """Days that a feed covers without a gap, both ends included."""

    first: dt.date
    last: dt.date


Coverage = dict[str, tuple[Range, ...]]
"""The ranges of each feed, in order."""


def record_feed(connection: psycopg.Connection[Any], feed: str, *, delivery_kind: str, first_day: dt.date) -> None:
    """Note how a feed is delivered, and since when.

    Args:
        connection: The warehouse.
        feed: The feed.
        delivery_kind: ``full_list``, ``full_period`` or ``changes``, as in its contract.
        first_day: The first day of the first delivery that is expected.
    """
    connection.execute(
        "insert into ops.feed as known (feed, delivery_kind, first_day) values (%s, %s, %s)"
        " on conflict (feed) do update set delivery_kind = excluded.delivery_kind, first_day = excluded.first_day"
        " where (known.delivery_kind, known.first_day) <> (excluded.delivery_kind, excluded.first_day)",
        [feed, delivery_kind, first_day],
    )


def covered_days(connection: psycopg.Connection[Any], *, until: dt.date | None = None) -> Coverage:
    """The days that the complete deliveries of each feed cover, cut at *until*."""
    rows = connection.execute(
        "select feed, covered_from, least(covered_to, %(until)s::date) from ops.feed_coverage"
        " where %(until)s::date is null or covered_from <= %(until)s::date order by feed, covered_from",
        {"until": until},
    ).fetchall()
    coverage: dict[str, list[Range]] = {}
    for feed, first, last in rows:
        coverage.setdefault(str(feed), []).append(Range(first, last))
    return {feed: tuple(ranges) for feed, ranges in coverage.items()}


def changed_days(before: tuple[Range, ...], now: tuple[Range, ...]) -> Range | None:
    """From the first day that only one of the two covers to the last that either covers; None where they are equal.

    A gap that closes changes every stock behind it, so the change reaches to the end.
    """
    edges = {edge for piece in (*before, *now) for edge in (piece.first, piece.last + dt.timedelta(days=1))}
    differing = [day for day in edges if _covers(before, day) != _covers(now, day)]
    if not differing:
        return None
    return Range(min(differing), max(piece.last for piece in (*before, *now)))


def _covers(ranges: tuple[Range, ...], day: dt.date) -> bool:
    return any(piece.first <= day <= piece.last for piece in ranges)
