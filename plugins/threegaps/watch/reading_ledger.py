"""What one pass reads of the ledger: a few questions, none of which looks at all that was received or refused.

Two walk what grows by some rows a day: all loaded batches (which of them wait), and all incidents (when one of those
that stop everything was over last).
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import psycopg

from threegaps.calendar import Cadence, Delivery
from threegaps.errors import SettingsError
from threegaps.ledger import attempts, expected, incidents
from threegaps.ledger.batches import IS_OVERTAKEN, has_originals, latest_first, pending_batches
from threegaps.ledger.expected import LATE_STATES
from threegaps.settings import SHANGHAI
from threegaps.watch.kinds import HOLD_FEEDS_UP, SETTLING
from threegaps.watch.readings import (
    FailedBuild,
    FeedHistory,
    LedgerReading,
    LoadedDelivery,
    OwedFeed,
    Sending,
    SentAgain,
    StoppedBatch,
    WaitingWork,
)

HISTORY = 7
"""So many deliveries of a feed are read: the last, and what it is compared with."""
_MOST_BATCHES = 100
"""Corrections among them; of a delivery that is corrected daily the past is not read."""
_MOST_INCIDENTS = 500
"""Incidents that may close within some minutes and still explain that feeds are late."""
SANDBOX_KEY = "feed_unreachable:sandbox"

_STOPPED = f"""
select distinct on (b.feed) b.feed, b.delivery, b.batch_id, b.status, b.stop_rule, coalesce(b.message_zh, ''),
       coalesce(b.message_en, ''), b.finished_at
from ops.batch as b left join ops.feed as f using (feed)
where b.status in ('stopped', 'failed') and b.finished_at is not null and coalesce(f.is_current, true)
and not {IS_OVERTAKEN.format(kind="coalesce(f.delivery_kind, 'full_period')")}
order by b.feed, b.batch_id desc
"""

_HISTORIES = f"""
select f.feed, f.delivery_kind, d.delivery, d.batch_id, d.received, d.refused, d.finished_at,
       exists (select from ops.acceptance as a where a.batch_id = d.batch_id)
from ops.feed as f cross join lateral (
    select distinct on (b.delivery_end, b.delivery_start) b.delivery, b.delivery_end, b.delivery_start, b.batch_id,
        b.received, b.refused, b.finished_at
    from (
        select * from ops.batch as l where l.feed = f.feed and l.status = 'loaded'
            -- what was not counted says nothing beside others
            and l.received is not null and l.refused is not null and l.finished_at is not null
        order by {latest_first("l")}, l.batch_id desc limit %(batches)s
    ) as b
    where {has_originals("b")}
    order by {latest_first("b")}, b.order_number desc, b.batch_id desc limit %(history)s
) as d
where f.is_current order by f.feed, {latest_first("d")}
"""

# What a sending did to the rows that stood is what its first judgement counted: to judge it again takes its rows out
# and enters them as new ones. Rows come back where it has more than stayed and than are new to the warehouse, whatever
# it changed besides; what corrections and repairs brought since the sending before stood already.
_SENT_AGAIN = """
with told as (
    select b.* from ops.batch as b inner join ops.feed as f using (feed)
    where f.is_current and b.order_number is not null and b.status in ('loaded', 'superseded')
        -- what was not counted says nothing beside others
        and b.accepted is not null and b.refused is not null and b.inserted is not null and b.changed is not null
        and b.closed_by_absence is not null and b.finished_at is not null
), sent_again as (
    select feed, delivery from told as t where status = 'loaded' and is_whole and is_complete
    group by feed, delivery
    having count(*) > 1 and (
        max(finished_at) > now() - %(past)s::interval
        -- time alone brings no row back
        or exists (
            select from ops.incident as i
            where i.closed_at is null and i.cause_key = 'feed_rows_gone:' || t.feed || ' ' || t.delivery
        )
    )
), judged as (
    select distinct on (t.feed, t.order_number) t.feed, t.delivery, t.order_number, t.accepted, t.inserted, t.changed,
        max(t.closed_by_absence) over (partition by t.feed, t.order_number) as gone
    from told as t inner join sent_again using (feed, delivery)
    order by t.feed, t.order_number, t.batch_id
), summed as (
    select feed, order_number, accepted, gone, sum(inserted) over until_it as inserted,
        sum(changed) over until_it as changed
    from judged window until_it as (partition by feed, delivery order by order_number)
), meant as (
    select a.batch_id from ops.acceptance as a
    union
    select o.number::bigint from ops.incident as i cross join lateral unnest(i.occasions) as o (number)
    where i.kind in ('feed_rows_gone', 'feed_shrinking') and i.closed_at is not null and i.closed_by <> %(watch)s
        -- not too long for a number
        and o.number ~ '^[0-9]{1,18}$'
)
select w.feed, w.delivery, w.order_number, w.batch_id, w.accepted + w.refused, w.refused, s.gone,
    coalesce(greatest(0, least(
        s.changed - lag(s.changed) over the_delivery,
        s.accepted - lag(s.accepted) over the_delivery + s.gone - (s.inserted - lag(s.inserted) over the_delivery)
    )), 0)::bigint,
    w.finished_at, exists (
        select from meant as m inner join ops.batch as n using (batch_id)
        where n.feed = w.feed and n.order_number = w.order_number
    )
from told as w inner join sent_again using (feed, delivery) inner join summed as s using (feed, order_number)
where w.status = 'loaded' and w.is_whole and w.is_complete
window the_delivery as (partition by w.feed, w.delivery order by w.order_number)
order by w.feed, w.delivery_end, w.delivery_start, w.order_number
"""
_SENT_AGAIN_WITHIN = dt.timedelta(days=731)
"""What was sent last before this is not looked at again, but where an incident of it is open."""

_FAILED_BUILD = """
with last as (
    select build_id, status, failure, message from ops.build
    where status in ('released', 'failed') order by build_id desc limit 1
), well as (
    select build_id from ops.build
    where status = 'released' or (status = 'failed' and failure = 'undo') order by build_id desc limit 1
)
select l.build_id, coalesce(l.failure = 'check', false), coalesce(l.message, ''), count(f.build_id), min(f.finished_at),
       exists (select from ops.build as n where n.build_id > l.build_id and n.status in ('claimed', 'running', 'built'))
from last as l join ops.build as f on f.status = 'failed' and f.failure is distinct from 'undo'
    and f.build_id > coalesce((select build_id from well), 0)
where l.status = 'failed' and l.failure is distinct from 'undo' group by l.build_id, l.failure, l.message
"""

_WAITING = """
select count(*), array_agg(distinct feed order by feed), min(finished_at)
from ops.batch as b
where batch_id = any(%(pending)s) and not exists (
    select from ops.build_input as i join ops.build as u using (build_id)
    where i.batch_id = b.batch_id and u.status in ('claimed', 'running', 'built'))
"""

_SANDBOX_MENDED = "select max(closed_at) from ops.incident where cause_key = %s"


def read(
    connection: psycopg.Connection[Any], *, names_counties: bool = True, looks_for_work: bool = True
) -> LedgerReading:
    """Everything that the looks ask of the ledger, as one transaction sees it.

    Args:
        names_counties: As of `threegaps.ledger.expected.standing`: a page that does not name them need not wait.
        looks_for_work: Whether to look for batches that no release has taken up; a page of feeds need not wait.
    """
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        judged_at = expected.judged_at(connection)
        standing = expected.standing(connection, judged_at, names_counties=names_counties)
        pending = pending_batches(connection) if looks_for_work else []
        mended = connection.execute(_SANDBOX_MENDED, [SANDBOX_KEY]).fetchone()
        return LedgerReading(
            judged_at=judged_at,
            standing=tuple(standing),
            owed=_owed(connection, [one for one in standing if one.state in LATE_STATES]),
            # Of a feed that has no contract any more nobody wants to know.
            failed=tuple(one for one in attempts.failing_since(connection) if one.is_current),
            attempted=attempts.last_attempted(connection),
            stopped=tuple(StoppedBatch(*row) for row in connection.execute(_STOPPED.encode()).fetchall()),
            histories=_histories(connection),
            sent_again=_sent_again(connection),
            build=_build(connection),
            waiting=_waiting(connection, pending),
            pending=tuple(pending),
            is_being_set_up=expected.is_being_set_up(connection),
            names={one.feed: (one.title_zh, one.title_en) for one in standing if one.title_zh},
            mended_at=incidents.last_closed_at(connection, {"airflow_down", "warehouse_down"}),
            sandbox_mended_at=mended[0] if mended else None,
            just_closed=_just_closed(connection),
        )


def _just_closed(connection: psycopg.Connection[Any]) -> tuple[incidents.Incident, ...]:
    closed = incidents.closed_since(connection, dt.datetime.now(SHANGHAI) - SETTLING, limit=_MOST_INCIDENTS)
    return tuple(one for one in closed if one.kind in HOLD_FEEDS_UP)


def _owed(connection: psycopg.Connection[Any], late: Sequence[expected.Standing]) -> tuple[OwedFeed, ...]:
    lacking = {one.feed: one.counties_lacking() for one in late}
    owing = expected.counties_owing(connection, [(feed, key) for feed, found in lacking.items() for key in found])
    return tuple(
        OwedFeed(
            feed=one.feed,
            since=one.late_since or one.due_at or dt.datetime.max.replace(tzinfo=SHANGHAI),
            missing=tuple(delivery for delivery in one.late if delivery not in set(one.incomplete)),
            partly=tuple(delivery for delivery in one.late if delivery in set(one.incomplete)),
            counties=lacking[one.feed],
            counties_owing={key: owing.get((one.feed, key), 0) for key in lacking[one.feed]},
        )
        for one in late
    )


def _histories(connection: psycopg.Connection[Any]) -> tuple[FeedHistory, ...]:
    kinds: dict[str, str] = {}
    deliveries: dict[str, list[LoadedDelivery]] = {}
    limits = {"history": HISTORY, "batches": _MOST_BATCHES}
    for feed, kind, *rest in connection.execute(_HISTORIES.encode(), limits).fetchall():
        kinds[str(feed)] = str(kind)
        deliveries.setdefault(str(feed), []).append(LoadedDelivery(*rest))
    return tuple(FeedHistory(feed, kinds[feed], comparable(kinds[feed], rows)) for feed, rows in deliveries.items())


def _sent_again(connection: psycopg.Connection[Any]) -> tuple[SentAgain, ...]:
    limits = {"watch": incidents.WATCH, "past": _SENT_AGAIN_WITHIN}
    rows = connection.execute(_SENT_AGAIN.encode(), limits).fetchall()
    return tuple(
        SentAgain(feed, delivery, tuple(Sending(*sent) for _, _, *sent in sendings))
        for (feed, delivery), sendings in itertools.groupby(rows, key=lambda row: (row[0], row[1]))
    )


class _OfDelivery(Protocol):
    @property
    def delivery(self) -> str: ...


_Sent = TypeVar("_Sent", bound=_OfDelivery)


def comparable(kind: str, deliveries: Sequence[_Sent]) -> tuple[_Sent, ...]:
    """The last deliveries, as far as they say alike much as the newest: not a month beside a quarter.

    Args:
        kind: How they are delivered: a list is whole whenever it comes.
        deliveries: The newest first; one at least.
    """
    if kind == "full_list":
        return tuple(deliveries)
    cadence = _cadence_of(deliveries[0].delivery)
    if cadence is None:
        return (deliveries[0],)
    return tuple(itertools.takewhile(lambda one: _cadence_of(one.delivery) == cadence, deliveries))


@functools.lru_cache(4096)
def _cadence_of(key: str) -> Cadence | None:
    """How often what is called so comes; None of a name that this version does not know."""
    try:
        return Delivery.of_key(key).cadence
    except SettingsError:
        return None


def _build(connection: psycopg.Connection[Any]) -> FailedBuild | None:
    row = connection.execute(_FAILED_BUILD).fetchone()
    return None if row is None else FailedBuild(*row)


def _waiting(connection: psycopg.Connection[Any], pending: Sequence[int]) -> WaitingWork | None:
    if not pending:
        return None
    count, feeds, since = _one(connection, _WAITING, {"pending": list(pending)})
    return WaitingWork(count, tuple(feeds), since) if count and since else None


def _one(connection: psycopg.Connection[Any], query: str, parameters: dict[str, Any] | None = None) -> tuple[Any, ...]:
    row = connection.execute(query.encode(), parameters).fetchone()
    if row is None:
        raise LookupError("an aggregate has no row")
    return tuple(row)
