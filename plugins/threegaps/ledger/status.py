"""How each feed stands: late, stopped, shrinking."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.contracts.due import last_due
from threegaps.contracts.model import Contract
from threegaps.ledger.batches import IS_OVERTAKEN, has_originals, shrinks


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """One line of ``threegaps status``.

    Args:
        last_delivery: The latest delivery of which originals are loaded, None before the first.
        expected_delivery: The latest delivery that is due at the moment asked for.
        is_late: That delivery has not been loaded, or not all of it.
        incomplete_deliveries: Deliveries that are loaded without having all that belongs to them.
        stopped_batch_id: The newest batch that is stopped or failed and whose rows nothing has brought since.
        rows: Rows of the last delivery as it was sent last, without corrections and repairs.
        rows_before: Likewise of the delivery before, for feeds whose deliveries compare.
        is_shrinking: The last delivery has far fewer than the one before: `threegaps.ledger.batches.shrinks`.
        open_refusals: Refused rows that nothing has closed.
    """

    feed: str
    title_zh: str
    title_en: str
    last_delivery: str | None
    expected_delivery: str
    is_late: bool
    incomplete_deliveries: tuple[str, ...]
    stopped_batch_id: int | None
    stop_message_en: str | None
    stop_message_zh: str | None
    rows: int | None
    rows_before: int | None
    is_shrinking: bool
    open_refusals: int
    last_loaded_at: dt.datetime | None


def feed_status(connection: psycopg.Connection[Any], contract: Contract, now: dt.datetime) -> FeedStatus:
    """How *contract*'s feed stands at *now*; see `threegaps.ledger.expected.judged_at`."""
    loaded = connection.execute(
        # A delivery that was sent again counts as it was sent last; corrections and repairs are no rows of its own.
        "select distinct on (b.delivery) b.delivery, b.received, b.is_complete, b.finished_at from ops.batch as b"
        f" where b.feed = %s and b.status = 'loaded' and {has_originals('b')}"
        " order by b.delivery desc, b.order_number desc, b.batch_id desc",
        [contract.feed],
    ).fetchall()
    stopped = connection.execute(
        "select batch_id, message_en, message_zh from ops.batch as b"
        " where feed = %(feed)s and status in ('stopped', 'failed')"
        f" and not {IS_OVERTAKEN.format(kind='%(kind)s')} order by batch_id desc limit 1",
        {"feed": contract.feed, "kind": contract.delivery_kind},
    ).fetchone()
    refusals = connection.execute(
        "select count(*) from quarantine.refused_row where feed = %s and closed_by_batch_id is null", [contract.feed]
    ).fetchone()
    expected = last_due(contract, now)
    last = str(loaded[0][0]) if loaded else None
    comparable = contract.delivery_kind != "changes" and len(loaded) > 1
    incomplete: set[str] = set()
    if contract.delivery_kind == "full_period":
        incomplete = {delivery for delivery, _, is_complete, _ in loaded if not is_complete}
    rows = loaded[0][1] if loaded else None
    before = loaded[1][1] if comparable else None
    return FeedStatus(
        feed=contract.feed,
        title_zh=contract.title_zh,
        title_en=contract.title_en,
        last_delivery=last,
        expected_delivery=expected.key,
        is_late=last is None or last < expected.key or expected.key in incomplete,
        incomplete_deliveries=tuple(sorted(incomplete)),
        stopped_batch_id=stopped[0] if stopped else None,
        stop_message_en=stopped[1] if stopped else None,
        stop_message_zh=stopped[2] if stopped else None,
        rows=rows,
        rows_before=before,
        is_shrinking=shrinks(rows, before),
        open_refusals=int(refusals[0]) if refusals else 0,
        last_loaded_at=max((finished_at for *_, finished_at in loaded), default=None),
    )
