"""When feeds, or counties of them, report nothing by agreement: pauses, and closures, whose end nobody knows.

A delivery all of whose days lie in pauses is not owed. Of two rows for the same feed or county no day is in both; what
was agreed once stays to be read, with who said so and why.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from threegaps.errors import LedgerError
from threegaps.ledger.expected import apply_pauses, summarise

PauseKind = Literal["pause", "closure"]


@dataclass(frozen=True, slots=True)
class Pause:
    """One row of ``ops.reporting_pause``; ``county_code`` is empty where the whole feed is meant."""

    reporting_pause_id: int
    feed: str
    county_code: str
    kind: PauseKind
    paused_from: dt.date
    paused_to: dt.date | None
    reason: str
    recorded_by: str
    recorded_at: dt.datetime
    ended_reason: str | None
    ended_by: str | None
    ended_at: dt.datetime | None
    withdrawn_at: dt.datetime | None


_COLUMNS = ", ".join(Pause.__slots__)


def begin(
    connection: psycopg.Connection[Any],
    feed: str,
    county_code: str,
    kind: PauseKind,
    first: dt.date,
    last: dt.date | None,
    *,
    reason: str,
    by: str,
    at: dt.datetime | None = None,
) -> list[str]:
    """Enter a pause or a closure; the deliveries that are not owed any more, in order.

    Args:
        county_code: The county that it is of; empty for the whole feed.
        first: Its first day.
        last: Its last day; None where it has closed, or nobody knows yet.
        reason: Why.
        by: Who says so.
        at: When that was said; by default now.

    Raises:
        LedgerError: It ends before it begins, or one of its days is paused already.
    """
    if last is not None and last < first:
        raise LedgerError(f"{last} is before {first}.", feed=feed, advice="give the earlier day first.")
    with connection.transaction():
        _lock(connection, feed)
        for other in pauses(connection, feed, county_code=county_code):
            if _overlap(other, first, last):
                raise LedgerError(
                    f"{_what(feed, county_code)} is {_state(other)} from {other.paused_from}"
                    f" {'on' if other.paused_to is None else f'to {other.paused_to}'} already.",
                    feed=feed,
                    advice="see `threegaps feeds pauses`; end that one first (`threegaps feeds resume`, `reopen`).",
                )
        connection.execute(
            "insert into ops.reporting_pause (feed, county_code, kind, paused_from, paused_to, reason, recorded_by,"
            " recorded_at) values (%s, %s, %s, %s, %s, %s, %s, coalesce(%s, clock_timestamp()))",
            [feed, county_code, kind, first, last, reason, by, at],
        )
        return _apply(connection, feed)


def end(
    connection: psycopg.Connection[Any],
    feed: str,
    county_code: str,
    kind: PauseKind,
    first_again: dt.date,
    *,
    reason: str,
    by: str,
    at: dt.datetime | None = None,
) -> list[str]:
    """End a pause or a closure on the day before *first_again*; the deliveries that are owed again, in order.

    One that has not begun by then never held.

    Raises:
        LedgerError: Nothing is paused, or closed, on that day or after it; or several are, all of them later.
    """
    with connection.transaction():
        _lock(connection, feed)
        open_ones = [
            one
            for one in pauses(connection, feed, county_code=county_code)
            if one.kind == kind and (one.paused_to is None or one.paused_to >= first_again)
        ]
        held = [one for one in open_ones if one.paused_from <= first_again] or open_ones
        if len(held) != 1:
            verb = "closed" if kind == "closure" else "paused"
            raise LedgerError(
                f"{_what(feed, county_code)} is {'not' if not held else 'several times'} {verb} from {first_again} on.",
                feed=feed,
                advice="see `threegaps feeds pauses`.",
            )
        (one,) = held
        is_withdrawn = one.paused_from >= first_again
        connection.execute(
            "update ops.reporting_pause set ended_reason = %(reason)s, ended_by = %(by)s,"
            " ended_at = coalesce(%(at)s, clock_timestamp()),"
            " paused_to = case when %(withdrawn)s then paused_to else %(last)s end,"
            " withdrawn_at = case when %(withdrawn)s then coalesce(%(at)s, clock_timestamp()) end"
            " where reporting_pause_id = %(id)s",
            {
                "reason": reason,
                "by": by,
                "at": at,
                "withdrawn": is_withdrawn,
                "last": first_again - dt.timedelta(days=1),
                "id": one.reporting_pause_id,
            },
        )
        return _apply(connection, feed)


def pauses(
    connection: psycopg.Connection[Any],
    feed: str | None = None,
    *,
    county_code: str | None = None,
    with_withdrawn: bool = False,
) -> list[Pause]:
    """Pauses and closures, by feed, county and day.

    Args:
        feed: Only this feed's.
        county_code: Only this county's; empty for those of the whole feed.
        with_withdrawn: Those too that never held.
    """
    with connection.cursor(row_factory=class_row(Pause)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from ops.reporting_pause where (%(feed)s::text is null or feed = %(feed)s)"
            " and (%(county)s::text is null or county_code = %(county)s) and (%(all)s or withdrawn_at is null)"
            " order by feed, county_code, paused_from, reporting_pause_id",
            {"feed": feed, "county": county_code, "all": with_withdrawn},
        ).fetchall()


def is_noted(connection: psycopg.Connection[Any], feed: str, county_code: str, at: dt.datetime) -> bool:
    """Whether what was decided at a moment stands in the ledger; a decision lies in landing too."""
    row = connection.execute(
        "select 1 from ops.reporting_pause where feed = %(feed)s and county_code = %(county)s"
        " and %(at)s in (recorded_at, ended_at)",
        {"feed": feed, "county": county_code, "at": at},
    ).fetchone()
    return row is not None


def _lock(connection: psycopg.Connection[Any], feed: str) -> None:
    connection.execute("select 1 from ops.feed where feed = %s for update", [feed])


def _apply(connection: psycopg.Connection[Any], feed: str) -> list[str]:
    changed = apply_pauses(connection, feed)
    if changed:
        summarise(connection, feed, changed)
    return changed


def _overlap(one: Pause, first: dt.date, last: dt.date | None) -> bool:
    return (last is None or one.paused_from <= last) and (one.paused_to is None or first <= one.paused_to)


def _state(one: Pause) -> str:
    return "closed" if one.kind == "closure" else "paused"


def _what(feed: str, county_code: str) -> str:
    return f"County {county_code} of {feed}" if county_code else feed
