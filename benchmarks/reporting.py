"""Measure how fast readers see how feeds report: `python -m benchmarks.reporting`.

Ledgers of invented feeds (synthetic: no department's) of three sizes are read by the two views over them, the sums
that are kept when the ledger is written against a count that is made live of the same rows, turn about on the same
embedded PostgreSQL. And a county delivery arrives, with the sums and without, each undone at the end.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg

from benchmarks.warehouse import temporary_warehouse
from tests.integration.ledger import counted_live
from tests.integration.release.small_marts import small_manifest
from threegaps.ledger import batches, expected, summaries
from threegaps.ledger.expected import MOMENT, record_arrival
from threegaps.ledger.summaries import COUNTS, STATE, counted
from threegaps.release.served import apply_served
from threegaps.standards.areas import codes_in_force

LAST_DAY = dt.date(2026, 6, 9)


@dataclass(frozen=True)
class Size:
    """A ledger: feeds by cadence, two years of each.

    Args:
        by_county: How many of the daily feeds speak county by county.
    """

    name: str
    days: int
    months: int
    quarters: int
    by_county: int = 0


SIZES = {
    size.name: size
    for size in (
        Size("today", days=5, months=14, quarters=14),
        Size("33 daily feeds", days=33, months=0, quarters=0),
        Size("33 daily feeds by county", days=33, months=0, quarters=0, by_county=33),
    )
}
_FILL = """
with series as (
    select g.feed, g.cadence, g.step, g.by_county from (
        select case n when 1 then '{first}' else 'bench/day_' || n end as feed, 'day' as cadence,
            interval '1 day' as step, n <= {by_county} as by_county
        from generate_series(1, {days}) as n
        union all select 'bench/month_' || n, 'month', interval '1 month', false from generate_series(1, {months}) as n
        union all select 'bench/quarter_' || n, 'quarter', interval '3 months', false
        from generate_series(1, {quarters}) as n
    ) as g
),
known as (
    insert into ops.feed (feed, delivery_kind, first_day, cadence, known_since, title_en)
    select feed, 'full_period', '2024-06-01', cadence, '2024-01-01', feed from series returning feed
),
day as (
    select s.*, d::date as first_day, (d + s.step - interval '1 day')::date as last_day
    from series as s, generate_series(timestamp '2024-07-01', timestamp '2026-08-08', s.step) as d
),
delivery as (
    select d.*, case cadence when 'day' then first_day::text when 'month' then to_char(first_day, 'YYYY-MM')
            else to_char(first_day, 'YYYY"Q"Q') end as key,
        (last_day + 1 + time '10:15') at time zone 'Asia/Shanghai' as due_at
    from day as d
)
insert into ops.expected_delivery (feed, delivery, county_code, cadence, delivery_start, delivery_end, due_at,
    first_arrived_at, completed_at, rows)
select d.feed, d.key, c.code, d.cadence, d.first_day, d.last_day, d.due_at, a.at, a.at,
    case when a.at is not null then 100 * (random() > 0.01)::integer end
from delivery as d
cross join lateral (
    select '' as code union all select code from unnest(%(counties)s::text[]) as code where d.by_county
) as c
cross join lateral (
    -- 97 of 100 have come, one in ten of them late; each county by itself
    select case when d.due_at < %(now)s and random() < 0.97 + 0 * length(c.code) then d.due_at - interval '2 hours'
        + case when random() < 0.1 then interval '9 hours' else interval '0' end end as at
) as a
"""
# Each delivery was sent once, one in ten twice, and a few of their rows are still refused.
_BATCHES = """
with sent as (
    insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri, size_bytes, sha256,
        is_correction, fetched_at)
    select e.feed, e.delivery, 'file', n, 'c', 'u', 1, repeat('0', 64), false, e.first_arrived_at
    from ops.expected_delivery as e
    cross join generate_series(1, 1 + (hashtext(e.feed || e.delivery) % 10 = 0)::integer) as n
    where e.county_code = '' and e.first_arrived_at is not null
    order by e.due_at
    returning landed_object_id, feed, delivery
),
judged as (
    insert into ops.batch (feed, delivery, delivery_start, delivery_end, status, contract_hash, code_version,
        pseudonym_key_version, physical_lines, structural, received, accepted, refused, duplicates, inserted, changed,
        unchanged, withdrawn, is_complete, is_whole, newest_object_id, order_number, message_en, message_zh,
        finished_at, source_columns)
    select s.feed, s.delivery, e.delivery_start, e.delivery_end, 'loaded', repeat('h', 64), '1', '1', 100, 0, 100, 98,
        2, 0, 98, 0, 0, 0, true, true, s.landed_object_id, s.landed_object_id, repeat('said ', 20), repeat('said ', 20),
        e.first_arrived_at, '{"contract_version": "1", "columns": ["a", "b", "c", "d"]}'
    from sent as s inner join ops.expected_delivery as e using (feed, delivery) where e.county_code = ''
    order by s.landed_object_id
    returning batch_id, newest_object_id
)
insert into ops.batch_object select batch_id, newest_object_id from judged
"""
_REFUSED = """
insert into quarantine.refused_row (row_token, batch_id, feed, delivery, landed_object_id, row_number, county_code,
    row_data, reasons)
select b.batch_id || '-' || n, b.batch_id, b.feed, b.delivery, b.newest_object_id, n, '330102', '{}', '[]'
from ops.batch as b cross join generate_series(1, 2) as n where random() < 0.5
"""
# A delivery of all counties that is due and has not come, with its batch.
_NEXT = """
with missing as (
    select e.feed, e.delivery, e.delivery_start, e.delivery_end, e.due_at from ops.expected_delivery as e
    where e.feed = 'bench/day_1' and e.county_code = '' and e.first_arrived_at is null
    order by e.due_at limit 1
),
sent as (
    insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri, size_bytes, sha256,
        is_correction, fetched_at)
    select feed, delivery, 'file', 1, 'c', 'u', 1, repeat('0', 64), false, due_at from missing
    returning landed_object_id
),
judged as (
    insert into ops.batch (feed, delivery, delivery_start, delivery_end, status, contract_hash, code_version,
        pseudonym_key_version, physical_lines, structural, received, accepted, refused, duplicates, inserted, changed,
        unchanged, withdrawn, is_complete, is_whole, newest_object_id)
    select m.feed, m.delivery, m.delivery_start, m.delivery_end, 'loaded', 'h', '1', '1', 100, 0, 100, 100, 0, 0, 100,
        0, 0, 0, true, true, s.landed_object_id
    from missing as m cross join sent as s
    returning feed, delivery, batch_id, newest_object_id
),
joined as (insert into ops.batch_object select batch_id, newest_object_id from judged)
select feed, delivery, batch_id from judged
"""
# As the view counted before there were sums of periods: sums of deliveries, and counties row by row.
_RATES_LIVE = f"""
with unit as (
    select s.feed, '330000' as area_code, s.cadence, s.delivery_end, {", ".join(f"s.{name}" for name in COUNTS)}
    from ops.delivery_summary as s
    where s.due_at <= {MOMENT} and s.expected > 0
    union all
    select e.feed, e.county_code, e.cadence, e.delivery_end, {", ".join(counted("e.state"))}
    from (select e.*, {STATE.format(e="e")} as state from ops.expected_delivery as e where e.county_code <> '') as e
    where e.due_at <= {MOMENT} and not e.is_paused
)
select u.feed, u.area_code, p.period_type, p.period_start, {", ".join(f"sum({name}) as {name}" for name in COUNTS)}
from unit as u
cross join lateral (
    values ('month', date_trunc('month', u.delivery_end)::date, array['day', 'month']),
        ('quarter', date_trunc('quarter', u.delivery_end)::date, array['day', 'month', 'quarter']),
        ('year', date_trunc('year', u.delivery_end)::date, array['day', 'month', 'quarter', 'term', 'year'])
) as p (period_type, period_start, cadences)
where u.cadence = any(p.cadences)
group by u.feed, u.area_code, p.period_type, p.period_start
"""
READ = {
    "rates: months of the province": (
        "select * from marts.reporting_rate where period_type = 'month' and area_level = 'province'",
        f"select * from ({_RATES_LIVE}) as r where period_type = 'month' and area_code = '330000'",
    ),
    "rates: one feed, all areas and periods": (
        "select * from marts.reporting_rate where feed = 'bench/day_1'",
        f"select * from ({_RATES_LIVE}) as r where feed = 'bench/day_1'",
    ),
    "rates: a month of all feeds and areas": (
        "select * from marts.reporting_rate where period_type = 'month' and period_start = '2025-03-01'",
        f"select * from ({_RATES_LIVE}) as r where period_type = 'month' and period_start = '2025-03-01'",
    ),
    "rates: a county, all feeds and periods": (
        "select * from marts.reporting_rate where area_code = '330102'",
        f"select * from ({_RATES_LIVE}) as r where area_code = '330102'",
    ),
    "rates: how many, of all": (
        "select count(*), sum(expected) from marts.reporting_rate",
        f"select count(*), sum(expected) from ({_RATES_LIVE}) as r",
    ),
    "feed_health": ("select * from marts.feed_health", counted_live.TOTALS),
}
"""What is read, and a count made live that says the same; of ``feed_health`` only what it says of batches."""


def main() -> int:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reporting", description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for name in options.sizes:
        with temporary_warehouse() as (dsn, _), psycopg.connect(dsn, autocommit=True) as connection:
            # alone: what workers of its own would take of other processors is not counted
            connection.execute("set max_parallel_workers_per_gather = 0")
            fill(connection, SIZES[name])
            apply_served(dsn, small_manifest())
            _measure(connection, SIZES[name], options.rounds)
    return 0


def fill(connection: psycopg.Connection[Any], size: Size, *, first: str = "bench/day_1") -> None:
    """Write two years, as migrations and loads leave them, but all at once.

    Args:
        first: What the first daily feed is called: one that has a contract has pages.
    """
    expected.set_clock(connection, LAST_DAY)
    connection.execute("select setseed(0.5)")
    numbers = {"days": size.days, "months": size.months, "quarters": size.quarters, "by_county": size.by_county}
    connection.execute(
        _FILL.format(**numbers, first=first).encode(),
        {"counties": sorted(codes_in_force()), "now": expected.judged_at(connection)},
    )
    connection.execute(_BATCHES.encode())
    connection.execute(_REFUSED.encode())
    connection.execute(f"update ops.batch set is_latest_judgement = batch_id in ({counted_live.LATEST_JUDGEMENTS})")
    for (feed,) in connection.execute("select feed from ops.feed").fetchall():
        expected.summarise(connection, str(feed))
    for (batch_id,) in connection.execute("select max(batch_id) from ops.batch group by feed").fetchall():
        batches.recount(connection, batch_id)
    connection.execute("vacuum (analyze)")


def _measure(connection: psycopg.Connection[Any], size: Size, rounds: int) -> None:
    """Each question turn about, after a first answer that nobody counts."""
    rows = [
        connection.execute(f"select count(*) from ops.{table}".encode()).fetchone()
        for table in ("expected_delivery", "reporting_summary", "batch")
    ]
    print(f"{size.name}: {', '.join(str(row and row[0]) for row in rows)} rows owed, sums, batches")
    for what, (kept, live) in READ.items():
        times = [(_seconds(connection, kept), _seconds(connection, live)) for _ in range(rounds + 1)][1:]
        _say(what, times)
    if size.by_county:
        _say(
            "arrival of a county delivery, with sums of periods and without",
            [_arrival(connection) for _ in range(rounds + 1)][1:],
        )


def _say(what: str, times: list[tuple[float, float]]) -> None:
    kept, live = ([one[place] * 1000 for one in times] for place in (0, 1))
    ratios = [other / own for own, other in zip(kept, live, strict=True)]
    print(
        f"  {what}: {statistics.median(kept):.1f} ms ({min(kept):.1f} to {max(kept):.1f}) against"
        f" {statistics.median(live):.1f} ms ({min(live):.1f} to {max(live):.1f});"
        f" {statistics.median(ratios):.1f} times ({min(ratios):.1f} to {max(ratios):.1f})",
        flush=True,
    )


def _seconds(connection: psycopg.Connection[Any], query: str) -> float:
    """Seconds of a processor that the server takes to answer: those of the clock tell what else the machine does."""
    start = _used(connection)
    connection.execute(query.encode()).fetchall()
    return _used(connection) - start


def _used(connection: psycopg.Connection[Any]) -> float:
    """What the server's process of this connection has taken of a processor so far."""
    statistics_of = Path(f"/proc/{connection.info.backend_pid}/schedstat")
    return int(statistics_of.read_text(encoding="ascii").split()[0]) / 1e9


def _arrival(connection: psycopg.Connection[Any]) -> tuple[float, float]:
    """Seconds in which the arrival of a delivery of all counties is noted, with sums of periods and without."""
    seconds = []
    for periods in (summaries.PERIODS, ()):
        with connection.transaction(force_rollback=True), mock.patch.object(summaries, "PERIODS", periods):
            row = connection.execute(_NEXT.encode()).fetchone()
            assert row is not None  # noqa: S101  # some of what is due has not come
            start = _used(connection)
            record_arrival(connection, row[0], row[1], row[2], [(code, 3) for code in sorted(codes_in_force())])
            seconds.append(_used(connection) - start)
    return seconds[0], seconds[1]


if __name__ == "__main__":
    sys.exit(main())
