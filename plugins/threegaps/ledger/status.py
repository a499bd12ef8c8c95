"""How each feed stands: late, stopped, shrinking."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg
from croniter import croniter

from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract

SHRINKING_BELOW = 0.8
"""A feed shrinks when its last delivery has less than this share of the one before."""
SHRINKING_FROM_ROWS = 20
"""In a list shorter than this a row more or less says nothing."""


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """One line of ``threegaps status``.

    Args:
        last_delivery: The latest loaded delivery, None before the first.
        expected_delivery: The latest delivery that is due by the day asked for.
        is_late: That delivery has not been loaded.
        stopped_batch_id: The newest batch of the feed when it is stopped or failed.
        rows: Rows of the last delivery as it was sent last, without corrections and repairs.
        rows_before: Likewise of the delivery before, for feeds whose deliveries compare.
        is_shrinking: The last delivery has less than `SHRINKING_BELOW` of the one before, and that had
            `SHRINKING_FROM_ROWS` rows or more.
        open_refusals: Refused rows that nothing has closed.
    """

    feed: str
    title_zh: str
    title_en: str
    last_delivery: str | None
    expected_delivery: str
    is_late: bool
    stopped_batch_id: int | None
    stop_message_en: str | None
    stop_message_zh: str | None
    rows: int | None
    rows_before: int | None
    is_shrinking: bool
    open_refusals: int
    last_loaded_at: dt.datetime | None


def feed_status(connection: psycopg.Connection[Any], contract: Contract, on: dt.date) -> FeedStatus:
    """How *contract*'s feed stands on the day *on*."""
    loaded = connection.execute(
        # A delivery that was sent again counts as it was sent last; corrections and repairs are no rows of its own.
        "select b.delivery, (array_agg(b.received order by b.order_number desc, b.batch_id desc) filter (where"
        " coalesce((select bool_or(not l.is_correction) from ops.batch_object as o join ops.landed_object as l"
        " using (landed_object_id) where o.batch_id = b.batch_id), true)))[1], max(b.finished_at)"
        " from ops.batch as b where b.feed = %s and b.status = 'loaded'"
        " group by b.delivery order by b.delivery desc limit 2",
        [contract.feed],
    ).fetchall()
    newest = connection.execute(
        "select batch_id, status, message_en, message_zh from ops.batch where feed = %s and status <> 'superseded'"
        " order by batch_id desc limit 1",
        [contract.feed],
    ).fetchone()
    refusals = connection.execute(
        "select count(*) from quarantine.refused_row where feed = %s and closed_by_batch_id is null", [contract.feed]
    ).fetchone()
    expected = expected_delivery(contract, on)
    last = str(loaded[0][0]) if loaded else None
    comparable = contract.delivery_kind != "changes" and len(loaded) == 2
    rows = loaded[0][1] if loaded else None
    before = loaded[1][1] if comparable else None
    is_stopped = newest is not None and newest[1] in {"stopped", "failed"}
    return FeedStatus(
        feed=contract.feed,
        title_zh=contract.title_zh,
        title_en=contract.title_en,
        last_delivery=last,
        expected_delivery=expected.key,
        is_late=last is None or last < expected.key,
        stopped_batch_id=newest[0] if is_stopped and newest else None,
        stop_message_en=newest[2] if is_stopped and newest else None,
        stop_message_zh=newest[3] if is_stopped and newest else None,
        rows=rows,
        rows_before=before,
        is_shrinking=_shrinks(rows, before),
        open_refusals=int(refusals[0]) if refusals else 0,
        last_loaded_at=loaded[0][2] if loaded else None,
    )


def expected_delivery(contract: Contract, on: dt.date) -> Delivery:
    """The latest delivery of *contract* whose due day (its cron, once the delivery is over) is not after *on*."""
    delivery = Delivery.containing(contract.cadence, on).previous()
    while _due_day(contract, delivery) > on:
        delivery = delivery.previous()
    return delivery


def _due_day(contract: Contract, delivery: Delivery) -> dt.date:
    over = dt.datetime.combine(delivery.next().start, dt.time.min)  # by the province's clock, as the cron is
    due: dt.datetime = croniter(contract.due_cron, over - dt.timedelta(seconds=1)).get_next(dt.datetime)
    return due.date()


def _shrinks(rows: int | None, before: int | None) -> bool:
    if rows is None or before is None or before < SHRINKING_FROM_ROWS:
        return False
    return rows < before * SHRINKING_BELOW
