"""One delivery of a feed: how it was tried, what was judged, which rules were broken, which rows were refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.rows import class_row

from threegaps.duty.reading.grid import Square, squares
from threegaps.ledger import expected
from threegaps.ledger.batches import IS_OVERTAKEN, has_originals
from threegaps.warehouse import quarantine
from threegaps.warehouse.quarantine import RefusedRow

MOST_ROWS = 50
"""Refused rows on a page; the workbook has all of them."""
_MOST_ATTEMPTS = 30
_MOST_BATCHES = 30
HISTORY = 12
"""So many deliveries are looked at to say how a rule has done before."""

_ATTEMPTS = """
select attempt_id, step, started_at, ended_at, outcome, cause, message_zh, message_en, host, port, run_id, try_number,
    landed_objects, batches
from ops.attempt where feed = %s and delivery = %s order by attempt_id desc limit %s
"""
_BATCHES = f"""
select b.batch_id, b.status, b.physical_lines, b.structural, b.received, b.accepted, b.refused, b.duplicates,
    b.inserted, b.changed, b.unchanged, b.withdrawn, b.closed_by_absence, b.stop_rule, b.message_zh, b.message_en,
    b.started_at, b.finished_at, b.contract_hash, {has_originals("b")} as has_originals,
    b.status in ('stopped', 'failed')
        and not {IS_OVERTAKEN.format(kind="coalesce(f.delivery_kind, 'full_period')")} as waits,
    (select count(*) from quarantine.refused_row as q where q.batch_id = b.batch_id and q.closed_by_batch_id is null)
        as open_refusals,
    a.accepted_by, a.reason as accept_reason
from ops.batch as b left join ops.feed as f using (feed)
left join lateral (
    select c.accepted_by, c.reason from ops.acceptance as c where c.batch_id = b.batch_id
    order by c.landed_object_id desc limit 1
) as a on true
where b.feed = %s and b.delivery = %s order by b.batch_id desc limit %s
"""
_RULES = """
select c.rule, c.expectation, c.column_name, c.action, c.evaluated, c.unexpected, c.outcome
from ops.check_result as c where c.batch_id = %s and c.unexpected > 0
order by c.action = 'warn', c.unexpected desc, c.rule
"""
_TREND = f"""
with newest as (
    select distinct on (b.delivery) b.delivery, b.delivery_end, b.batch_id
    from ops.batch as b
    where b.feed = %(feed)s and b.status in ('loaded', 'stopped') and b.delivery_end <= %(until)s
        and {has_originals("b")}
    order by b.delivery, b.order_number desc, b.batch_id desc
), last as (
    select * from newest order by delivery_end desc limit %(most)s
)
select c.rule, l.delivery, c.evaluated, c.unexpected
from last as l join ops.check_result as c using (batch_id)
where c.rule = any(%(rules)s) order by c.rule, l.delivery_end
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row of ``ops.attempt``."""

    attempt_id: int
    step: str
    started_at: dt.datetime
    ended_at: dt.datetime | None
    outcome: str
    cause: str | None
    message_zh: str | None
    message_en: str | None
    host: str | None
    port: int | None
    run_id: str | None
    try_number: int | None
    landed_objects: int | None
    batches: int | None


@dataclass(frozen=True, slots=True)
class BatchSeen:
    """One row of ``ops.batch``.

    Args:
        has_originals: Corrections and repairs have none.
        waits: It was stopped or failed, and nothing has brought since what it did not.
        open_refusals: How many of its refused rows nothing has closed.
        accepted_by: Who has said that what a rule had stopped is meant; None where nobody had to.
        accept_reason: Why.
    """

    batch_id: int
    status: str
    physical_lines: int | None
    structural: int | None
    received: int | None
    accepted: int | None
    refused: int | None
    duplicates: int | None
    inserted: int | None
    changed: int | None
    unchanged: int | None
    withdrawn: int | None
    closed_by_absence: int | None
    stop_rule: str | None
    message_zh: str | None
    message_en: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None
    contract_hash: str
    has_originals: bool
    waits: bool
    open_refusals: int
    accepted_by: str | None
    accept_reason: str | None

    @property
    def balances(self) -> bool | None:
        """Whether every row received is accounted for; None before it is judged."""
        parts = (self.accepted, self.refused, self.duplicates)
        if self.received is None or any(part is None for part in parts):
            return None
        return self.received == sum(part or 0 for part in parts)


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule that rows of the newest batch broke.

    Args:
        trend: Delivery, rows looked at and rows that broke it, of this delivery and those before it, the oldest first.
    """

    rule: str
    expectation: str
    column_name: str | None
    action: str
    evaluated: int
    unexpected: int
    outcome: str
    trend: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class DeliverySeen:
    """All that a delivery's page shows.

    Args:
        square: What has become of it; None where nothing of this name is owed.
        newest: The batch whose rules and rows are shown: the newest one that was judged.
        rows: Open refused rows of the delivery that were chosen, at most `MOST_ROWS`.
        chosen: How many were.
        open_refusals: How many the delivery has.
        by_rule: How many of them broke each rule.
        counties: How many of them each county has.
    """

    square: Square | None
    attempts: Sequence[Attempt]
    batches: Sequence[BatchSeen]
    newest: BatchSeen | None
    rules: Sequence[BrokenRule]
    rows: Sequence[RefusedRow]
    chosen: int
    open_refusals: int
    by_rule: Mapping[str, int]
    counties: Mapping[str, int]


def read_delivery(
    connection: psycopg.Connection[Any],
    feed: str,
    delivery: str,
    *,
    rule: str | None = None,
    county_code: str | None = None,
) -> DeliverySeen:
    """What is known of a delivery.

    Args:
        rule: Show only rows that broke this rule.
        county_code: Show only rows of this county.
    """
    batches = _batches(connection, feed, delivery)
    newest = next((one for one in batches if one.has_originals and one.received is not None), None)
    rows = quarantine.show(
        connection, feed=feed, delivery=delivery, rule=rule, county_code=county_code, limit=MOST_ROWS
    )
    by_rule, counties, total = _refusals(connection, feed, delivery)
    return DeliverySeen(
        square=_square(connection, feed, delivery),
        attempts=_attempts(connection, feed, delivery),
        batches=batches,
        newest=newest,
        rules=() if newest is None else _rules(connection, feed, newest.batch_id),
        rows=rows,
        chosen=_chosen(connection, feed, delivery, rule, county_code) if rule or county_code else total,
        open_refusals=total,
        by_rule=by_rule,
        counties=counties,
    )


def _square(connection: psycopg.Connection[Any], feed: str, delivery: str) -> Square | None:
    moment = expected.judged_at(connection)
    return next(iter(squares(connection, moment, [feed], delivery=delivery)), None)


def _attempts(connection: psycopg.Connection[Any], feed: str, delivery: str) -> list[Attempt]:
    with connection.cursor(row_factory=class_row(Attempt)) as cursor:
        return cursor.execute(_ATTEMPTS, [feed, delivery, _MOST_ATTEMPTS]).fetchall()


def _batches(connection: psycopg.Connection[Any], feed: str, delivery: str) -> list[BatchSeen]:
    with connection.cursor(row_factory=class_row(BatchSeen)) as cursor:
        return cursor.execute(_BATCHES.encode(), [feed, delivery, _MOST_BATCHES]).fetchall()


def _rules(connection: psycopg.Connection[Any], feed: str, batch_id: int) -> list[BrokenRule]:
    with connection.cursor(row_factory=class_row(BrokenRule)) as cursor:
        broken = cursor.execute(_RULES, [batch_id]).fetchall()
    until = connection.execute("select delivery_end from ops.batch where batch_id = %s", [batch_id]).fetchone()
    trends: dict[str, list[tuple[str, int, int]]] = {}
    wanted = {"feed": feed, "until": until and until[0], "most": HISTORY, "rules": [one.rule for one in broken]}
    for rule, delivery, evaluated, unexpected in connection.execute(_TREND.encode(), wanted).fetchall():
        trends.setdefault(str(rule), []).append((str(delivery), int(evaluated), int(unexpected)))
    return [replace(one, trend=tuple(trends.get(one.rule, ()))) for one in broken]


def _chosen(
    connection: psycopg.Connection[Any], feed: str, delivery: str, rule: str | None, county_code: str | None
) -> int:
    row = connection.execute(
        "select count(*) from quarantine.refused_row where feed = %(feed)s and delivery = %(delivery)s"
        " and closed_by_batch_id is null and (%(county)s::text is null or county_code = %(county)s)"
        " and (%(rule)s::text is null"
        " or reasons @> jsonb_build_array(jsonb_build_object('rule', %(rule)s::text)))",
        {"feed": feed, "delivery": delivery, "rule": rule, "county": county_code},
    ).fetchone()
    return int(row[0]) if row else 0


def _refusals(
    connection: psycopg.Connection[Any], feed: str, delivery: str
) -> tuple[dict[str, int], dict[str, int], int]:
    """Open refusals by rule and by county, and how many there are."""
    of = "from quarantine.refused_row as q where q.feed = %s and q.delivery = %s and q.closed_by_batch_id is null"
    counties = connection.execute(
        f"select q.county_code, count(*) {of} group by 1 order by 2 desc, 1".encode(), [feed, delivery]
    ).fetchall()
    rules = connection.execute(
        "select r.rule, count(*) from (select distinct q.row_token, q.batch_id, reason ->> 'rule' as rule"
        f" {of.replace('where', 'cross join lateral jsonb_array_elements(q.reasons) as reason where')}) as r"
        " group by 1 order by 2 desc, 1".encode(),
        [feed, delivery],
    ).fetchall()
    return (
        {str(rule): int(count) for rule, count in rules},
        {str(county): int(count) for county, count in counties},
        sum(int(count) for _, count in counties),
    )
