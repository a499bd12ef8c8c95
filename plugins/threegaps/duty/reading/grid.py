"""Feeds by deliveries: what has become of each feed's last deliveries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.rows import class_row

from threegaps.duty.reading.standing import read_feeds
from threegaps.ledger.attempts import Failing
from threegaps.ledger.batches import IS_OVERTAKEN
from threegaps.ledger.expected import Standing

MOST_DELIVERIES = 40
"""So many squares a feed has: three years of months, some six weeks of days."""

# A part of a delivery may have been stopped while others are loaded: what waits for somebody is what is shown.
_SQUARES = f"""
with newest as (
    select s.*
    from ops.feed as f cross join lateral (
        select * from ops.delivery_summary as d
        where d.feed = f.feed and d.cadence = f.cadence
            and (%(delivery)s::text is null or d.delivery = %(delivery)s)
            and d.delivery_end < (%(moment)s::timestamptz at time zone 'Asia/Shanghai')::date
        order by d.delivery_end desc, d.delivery_start desc limit %(most)s
    ) as s
    where f.is_current and (%(feeds)s::text[] is null or f.feed = any(%(feeds)s))
), stopped as (
    select distinct on (b.feed, b.delivery) b.feed, b.delivery, b.status
    from ops.batch as b join ops.feed as f using (feed)
    where b.status in ('stopped', 'failed') and b.finished_at is not null
        and (%(feeds)s::text[] is null or b.feed = any(%(feeds)s))
        and (%(delivery)s::text is null or b.delivery = %(delivery)s)
        and not {IS_OVERTAKEN.format(kind="f.delivery_kind")}
    order by b.feed, b.delivery, b.batch_id desc
), tried as (
    select a.feed, a.delivery, (array_agg(a.outcome order by a.attempt_id desc))[1] as outcome from ops.attempt as a
    where (a.feed, a.delivery) in (select n.feed, n.delivery from newest as n where n.arrived = 0)
    group by a.feed, a.delivery
)
select n.feed, n.delivery, n.delivery_start, n.delivery_end, n.due_at, n.expected, n.arrived, n.late, n.empty,
    case
        when b.status is not null then b.status
        when n.expected = 0 then 'paused'
        when n.arrived = 0 and t.outcome in ('failed', 'cut_off') then 'failed'
        when n.arrived = 0 and n.due_at > %(moment)s then 'expected'
        when n.arrived = 0 then 'missing'
        when n.incomplete > 0 or n.arrived < n.expected then 'incomplete'
        when n.empty = n.expected then 'empty'
        when n.late > 0 then 'late'
        when n.untimed > 0 then 'untimed'
        else 'on_time'
    end as state
from newest as n
left join stopped as b using (feed, delivery)
left join tried as t using (feed, delivery)
order by n.feed, n.delivery_end, n.delivery_start
"""


@dataclass(frozen=True, slots=True)
class Square:
    """One delivery of one feed.

    Args:
        state: A code of `threegaps.labels.DELIVERY_STATES`.
        expected: What is owed: one, or one of each county.
        arrived: How much of that has come.
        late: How much of that came late.
        empty: How much of that has no row.
    """

    feed: str
    delivery: str
    delivery_start: dt.date
    delivery_end: dt.date
    due_at: dt.datetime
    expected: int
    arrived: int
    late: int
    empty: int
    state: str


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed with its last deliveries, the oldest first.

    Args:
        states: All ways in which it stands, the gravest first.
    """

    standing: Standing
    states: tuple[str, ...]
    squares: tuple[Square, ...]


def feed_rows(connection: psycopg.Connection[Any], now: dt.datetime) -> list[FeedRow]:
    """Every feed that has a contract with its last deliveries, by name."""
    seen = read_feeds(connection, now)
    of_feed: dict[str, list[Square]] = {}
    for one in squares(connection, seen.reading.judged_at, seen.reading.failed, seen.reading.standing):
        of_feed.setdefault(one.feed, []).append(one)
    states = {one.feed: one.states for one in seen.feeds}
    return [FeedRow(one, states[one.feed], tuple(of_feed.get(one.feed, ()))) for one in seen.reading.standing]


def squares(
    connection: psycopg.Connection[Any],
    moment: dt.datetime,
    failing: Iterable[Failing],
    standing: Iterable[Standing],
    feeds: Collection[str] | None = None,
    *,
    delivery: str | None = None,
) -> list[Square]:
    """The last deliveries of feeds, by feed, the oldest first.

    Args:
        moment: The one that is judged by.
        failing: Steps of these feeds whose latest attempts all failed.
        standing: How these feeds stand at that moment.
        feeds: Those to look at; None for all.
        delivery: The only one that is asked for, however old.
    """
    wanted = {
        "moment": moment,
        "most": MOST_DELIVERIES,
        "feeds": None if feeds is None else sorted(feeds),
        "delivery": delivery,
    }
    with connection.cursor(row_factory=class_row(Square)) as cursor:
        found = cursor.execute(_SQUARES.encode(), wanted).fetchall()
    awaited = {one.feed for one in standing if one.state == "awaited"}
    found = [replace(one, state="awaited") if one.state == "missing" and one.feed in awaited else one for one in found]
    fail = {(one.feed, one.delivery) for one in failing}
    # Of a delivery that had come before, what is wrong now is what somebody has to know.
    return [
        replace(one, state="failed") if (one.feed, one.delivery) in fail and one.state != "stopped" else one
        for one in found
    ]
