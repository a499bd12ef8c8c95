"""What is owed and has come, kept in sums when it is written: by delivery, and by area and period.

Counting live is slow: three dozen daily feeds that report by county are millions of rows in two years. So each write to
``ops.expected_delivery`` counts anew, in its own transaction, the deliveries and the periods that it touches, and
nothing else. What becomes due by the passing of time alone no write tells: the sums of periods have what was due at
``ops.feed.summed_to``, and whoever reads them adds what lies between that moment and the one that is judged by
(`threegaps.release.live`). The upkeep keeps that little.

A delivery belongs to the month, the quarter and the year of its last day, as far as they are no shorter than itself by
the cadence that it was entered with.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.calendar import Cadence, Delivery
from threegaps.standards.areas import PROVINCE

COUNTS = ("expected", "arrived", "on_time", "late", "empty", "incomplete", "untimed")
"""What is counted, by column of both tables of sums."""

STATE = (
    "case when {e}.is_paused then 'paused' when {e}.first_arrived_at is null then 'missing'"
    " when {e}.rows = 0 then 'empty' when {e}.completed_at is null then 'incomplete'"
    " when {e}.completed_at <= {e}.due_at then 'on_time' when {e}.is_timed then 'late' else 'untimed' end"
)
"""What has become of the row *e* of ``ops.expected_delivery``, in SQL; only of one that is due it says anything."""


def counted(state: str) -> tuple[str, ...]:
    """The counts of one row whose `STATE` is *state*, in SQL, in the order of `COUNTS`."""
    return (
        f"({state} <> 'paused')::integer",
        f"({state} not in ('paused', 'missing'))::integer",
        *(f"({state} = '{name}')::integer" for name in COUNTS[2:]),
    )


@dataclass(frozen=True, slots=True)
class Period:
    """A type of period that is summed.

    Args:
        own: Cadences of deliveries that no shorter type of period has.
        finer: The shorter type, whose sums are part of its own.
        length: In SQL.
    """

    name: Cadence
    own: tuple[Cadence, ...]
    finer: Cadence | None
    length: str


PERIODS = (
    Period("month", ("day", "month"), None, "1 month"),
    Period("quarter", ("quarter",), "month", "3 months"),
    Period("year", ("term", "year"), "quarter", "1 year"),
)
"""The types of period, from the shortest: each is counted from the one before and the deliveries that only it has."""


def cadences(period: Period) -> tuple[Cadence, ...]:
    """The cadences of all deliveries that count in this type of period."""
    upto = PERIODS[: PERIODS.index(period) + 1]
    return tuple(cadence for one in upto for cadence in one.own)


def sum_up(
    connection: psycopg.Connection[Any], feed: str, deliveries: Sequence[str] | None, moment: dt.datetime
) -> None:
    """Count anew these deliveries of a feed, their periods, and those of which something has become due.

    Args:
        deliveries: Those that were written to; None for all.
        moment: The one that is judged by.
    """
    row = connection.execute("select summed_to from ops.feed where feed = %s for update", [feed]).fetchone()
    wanted: dict[str, Any] = {
        "feed": feed,
        "deliveries": None if deliveries is None else list(deliveries),
        "moment": moment,
        "summed_to": row and row[0],
    }
    connection.execute(_SUMMARISE, wanted)
    touched: list[tuple[dt.date, Cadence]] = connection.execute(_TOUCHED, wanted).fetchall()
    connection.execute(_REMOVE_SUMMARIES, wanted)
    if not touched:
        return
    connection.execute("update ops.feed set summed_to = %(moment)s where feed = %(feed)s", wanted)
    for period in PERIODS:
        counting = cadences(period)
        starts = {Delivery.containing(period.name, end).start for end, cadence in touched if cadence in counting}
        if starts:
            own = {"type": period.name, "own": list(period.own), "finer": period.finer, "starts": sorted(starts)}
            connection.execute(_COUNT.replace("{length}", period.length), wanted | own)


def _listed(form: str, separator: str = ", ") -> str:
    return separator.join(form.format(name=name) for name in COUNTS)


_SUMMARISE = f"""
insert into ops.delivery_summary as s (feed, delivery, cadence, delivery_start, delivery_end, due_at,
    {_listed("{name}")}, lacking)
select u.feed, u.delivery, min(u.cadence), min(u.delivery_start), min(u.delivery_end), min(u.due_at),
    {", ".join(f"sum({count})" for count in counted("u.state"))},
    -- of a delivery of which nothing has come yet no county lacks
    case when exists (
        select from ops.expected_delivery as w
        where w.feed = u.feed and w.delivery = u.delivery and w.county_code = '' and w.first_arrived_at is not null
    ) then count(*) filter (where u.county_code <> '' and u.is_current and u.state = 'missing') else 0 end
from (
    select e.feed, e.delivery, e.county_code, e.cadence, e.delivery_start, e.delivery_end, e.due_at, e.is_current,
        {STATE.format(e="e")} as state
    from ops.expected_delivery as e
    where e.feed = %(feed)s and (%(deliveries)s::text[] is null or e.delivery = any(%(deliveries)s))
        -- where counties owe their parts, they are what counts
        and (e.county_code <> '' or not exists (
            select from ops.expected_delivery as c
            where c.feed = e.feed and c.delivery = e.delivery and c.county_code <> ''
        ))
) as u
group by u.feed, u.delivery
on conflict (feed, delivery) do update set cadence = excluded.cadence, delivery_start = excluded.delivery_start,
    delivery_end = excluded.delivery_end, due_at = excluded.due_at, {_listed("{name} = excluded.{name}")},
    lacking = excluded.lacking
where (s.cadence, s.delivery_start, s.delivery_end, s.due_at, {_listed("s.{name}")}, s.lacking)
    is distinct from (excluded.cadence, excluded.delivery_start, excluded.delivery_end, excluded.due_at,
    {_listed("excluded.{name}")}, excluded.lacking)
"""
# Before those are removed that nothing is owed of any more: their periods lose them.
_TOUCHED = """
select s.delivery_end, s.cadence
from ops.delivery_summary as s
where s.feed = %(feed)s and (%(deliveries)s::text[] is null or s.delivery = any(%(deliveries)s))
union
-- a clock that was put back takes away again
select s.delivery_end, s.cadence
from ops.delivery_summary as s
where s.feed = %(feed)s and s.due_at > least(coalesce(%(summed_to)s::timestamptz, '-infinity'), %(moment)s)
    and s.due_at <= greatest(%(summed_to)s::timestamptz, %(moment)s)
"""
_REMOVE_SUMMARIES = """
delete from ops.delivery_summary as s
where s.feed = %(feed)s and (%(deliveries)s::text[] is null or s.delivery = any(%(deliveries)s))
    and not exists (select from ops.expected_delivery as e where e.feed = s.feed and e.delivery = s.delivery)
"""
# What is not due yet has its row too, with nothing in it: readers find there what becomes due meanwhile.
_COUNT = f"""
with delivered as materialized (
    select s.*, date_trunc(%(type)s, s.delivery_end)::date as period_start,
        (s.due_at <= %(moment)s)::integer as is_due
    from ops.delivery_summary as s
    where s.feed = %(feed)s and s.cadence = any(%(own)s)
        and date_trunc(%(type)s, s.delivery_end)::date = any(%(starts)s::date[])
),
unit as (
    select d.period_start, '{PROVINCE}' as area_code, 'province' as area_level,
        {_listed("d.is_due * d.{name} as {name}")}
    from delivered as d
    union all
    select e.period_start, e.county_code, 'county', {", ".join(f"e.is_due * {count}" for count in counted("e.state"))}
    from (
        select e.county_code, d.period_start, d.is_due, {STATE.format(e="e")} as state
        from delivered as d
        inner join ops.expected_delivery as e on e.feed = %(feed)s and e.delivery = d.delivery and e.county_code <> ''
    ) as e
    union all
    select date_trunc(%(type)s, r.period_start)::date, r.area_code, r.area_level, {_listed("r.{name}")}
    from ops.reporting_summary as r
    where r.feed = %(feed)s and r.period_type = %(finer)s
        and date_trunc(%(type)s, r.period_start)::date = any(%(starts)s::date[])
),
summed as materialized (
    select u.period_start, u.area_code, u.area_level, {_listed("sum(u.{name}) as {name}")}
    from unit as u
    group by u.period_start, u.area_code, u.area_level
),
gone as (
    delete from ops.reporting_summary as r
    where r.feed = %(feed)s and r.period_type = %(type)s and r.period_start = any(%(starts)s::date[])
        and not exists (
            select from summed as s where s.area_code = r.area_code and s.period_start = r.period_start
        )
)
insert into ops.reporting_summary as r (feed, area_code, area_level, period_type, period_start, period_end,
    {_listed("{name}")})
select %(feed)s, s.area_code, s.area_level, %(type)s, s.period_start,
    (s.period_start + interval '{{length}}' - interval '1 day')::date, {_listed("s.{name}")}
from summed as s
on conflict (feed, area_code, period_type, period_start) do update set {_listed("{name} = excluded.{name}")}
where ({_listed("r.{name}")}) is distinct from ({_listed("excluded.{name}")})
"""
