"""One delivery of a feed: how it was tried, what was judged, which rules were broken, which rows were refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.rows import class_row

from threegaps.duty.reading.grid import Square, squares
from threegaps.ledger import attempts, expected, tickets
from threegaps.ledger.attempts import Attempt, latest_attempts
from threegaps.ledger.batches import IS_OVERTAKEN, Batch, has_originals, latest_first
from threegaps.ledger.tickets import Ticket
from threegaps.warehouse import quarantine
from threegaps.warehouse.quarantine import RefusedRow

MOST_ROWS = 50
"""Refused rows on a page; the workbook has all of them."""
_MOST_ATTEMPTS = 30
_MOST_BATCHES = 30
HISTORY = 12
"""So many deliveries are looked at to say how a rule has done before."""

_BATCHES = f"""
select {", ".join(f"b.{name}" for name in Batch.__slots__)}, {has_originals("b")} as has_originals,
    b.status in ('stopped', 'failed')
        and not {IS_OVERTAKEN.format(kind="coalesce(f.delivery_kind, 'full_period')")} as waits,
    (select count(*) from quarantine.refused_row as q where q.batch_id = b.batch_id and q.closed_by_batch_id is null)
        as open_refusals,
    coalesce(w.accepted_by, a.accepted_by) as accepted_by, coalesce(w.reason, a.reason) as accept_reason,
    w.batch_id is not null and w.taken_up_at is null as waits_for_load, w.why_not
from ops.batch as b left join ops.feed as f using (feed)
left join lateral (
    select c.accepted_by, c.reason from ops.acceptance as c where c.batch_id = b.batch_id
    order by c.landed_object_id desc limit 1
) as a on true
left join lateral (
    select r.* from ops.acceptance_request as r
    where r.batch_id = b.batch_id and r.rule = b.stop_rule and (r.taken_up_at is null or r.why_not is not null)
    order by r.acceptance_request_id desc limit 1
) as w on true
where b.feed = %s and b.delivery = %s order by b.batch_id desc limit %s
"""
_COUNTIES = """
select q.county_code, count(*) from quarantine.refused_row as q
where q.feed = %s and q.delivery = %s and q.closed_by_batch_id is null group by 1 order by 2 desc, 1
"""
_ASKED = """
select r.ticket_id, count(*) from ops.ticket_row as r join quarantine.refused_row as q using (row_token, batch_id)
where q.feed = %s and q.delivery = %s group by 1
"""
_RULES = """
select c.rule, c.expectation, c.column_name, c.action, c.evaluated, c.unexpected, c.outcome
from ops.check_result as c where c.batch_id = %s and c.unexpected > 0
order by c.action = 'warn', c.unexpected desc, c.rule
"""
_TREND = f"""
with newest as (
    select distinct on (b.delivery) b.delivery, b.delivery_end, b.delivery_start, b.batch_id
    from ops.batch as b
    where b.feed = %(feed)s and b.status in ('loaded', 'stopped') and b.delivery_end <= %(until)s
        and {has_originals("b")}
    order by b.delivery, b.order_number desc, b.batch_id desc
), last as (
    select * from newest as n order by {latest_first("n")} limit %(most)s
)
select c.rule, l.delivery, c.evaluated, c.unexpected
from last as l join ops.check_result as c using (batch_id)
where c.rule = any(%(rules)s) order by c.rule, l.delivery_end, l.delivery_start
"""


@dataclass(frozen=True, slots=True)
class BatchSeen(Batch):
    """A batch, and how it stands.

    Args:
        has_originals: Corrections and repairs have none.
        waits: It was stopped or failed, and nothing has brought since what it did not.
        open_refusals: How many of its refused rows nothing has closed.
        accepted_by: Who has said that what a rule had stopped is meant; None where nobody had to.
        accept_reason: Why.
        waits_for_load: Whether the feed's next load has still to obey that.
        why_not: Why a load did not, where that held no longer.
    """

    has_originals: bool
    waits: bool
    open_refusals: int
    accepted_by: str | None
    accept_reason: str | None
    waits_for_load: bool
    why_not: str | None

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
        tickets: Those that are out and ask for rows of the delivery, with how many each asks for.
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
    tickets: Sequence[tuple[Ticket, int]]
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
    counties = dict(connection.execute(_COUNTIES, [feed, delivery]).fetchall())
    total = sum(counties.values())
    return DeliverySeen(
        square=_square(connection, feed, delivery),
        attempts=latest_attempts(connection, feed, delivery=delivery, limit=_MOST_ATTEMPTS),
        batches=batches,
        newest=newest,
        rules=() if newest is None else _rules(connection, feed, newest.batch_id),
        tickets=_tickets(connection, feed, delivery),
        rows=rows,
        chosen=quarantine.count(connection, feed=feed, delivery=delivery, rule=rule, county_code=county_code)
        if rule or county_code
        else total,
        open_refusals=total,
        by_rule={one.rule: one.refused_rows for one in quarantine.refused_by_rule(connection, feed, delivery)},
        counties=counties,
    )


def _square(connection: psycopg.Connection[Any], feed: str, delivery: str) -> Square | None:
    moment = expected.judged_at(connection)
    failing = attempts.failing_since(connection, feed)
    standing = expected.standing(connection, moment, feed=feed, names_counties=False)
    return next(iter(squares(connection, moment, failing, standing, [feed], delivery=delivery)), None)


def _tickets(connection: psycopg.Connection[Any], feed: str, delivery: str) -> list[tuple[Ticket, int]]:
    asked = dict(connection.execute(_ASKED, [feed, delivery]).fetchall())
    out = tickets.tickets(connection, feed=feed) if asked else []
    return [(one, asked[one.ticket_id]) for one in out if one.ticket_id in asked]


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
