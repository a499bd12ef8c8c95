"""Enters in a ledger what a department has sent and what became of it, without a judgement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg

from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.ledger.batches import recount
from threegaps.ledger.expected import record_arrival
from threegaps.settings import SHANGHAI


def empty_ledger(connection: psycopg.Connection[Any]) -> None:
    """Nothing is owed, has come or was tried."""
    connection.execute(
        "truncate ops.batch, ops.landed_object, ops.feed, ops.feed_totals, ops.expected_delivery, ops.delivery_summary,"
        " ops.reporting_pause, ops.delivery_clock, ops.attempt, quarantine.refused_row cascade"
    )


def at(day: str, hour: int = 9) -> dt.datetime:
    """An hour of a day in Shanghai."""
    return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(hour), SHANGHAI)


def land(
    connection: psycopg.Connection[Any],
    feed: str,
    delivery: str,
    fetched_at: dt.datetime,
    *,
    part: str = "file",
) -> int:
    """An arrival of a part; its number."""
    row = connection.execute(
        "insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri, size_bytes, sha256,"
        " is_correction, fetched_at) select %(feed)s, %(delivery)s, %(part)s, 1 + count(*), 'c', 'u', 1,"
        " repeat('0', 64), %(part)s ~ '^(correction|replay-)', %(at)s from ops.landed_object"
        " where feed = %(feed)s and delivery = %(delivery)s and part = %(part)s returning landed_object_id",
        {"feed": feed, "delivery": delivery, "part": part, "at": fetched_at},
    ).fetchone()
    assert row is not None
    return int(row[0])


def judge(
    connection: psycopg.Connection[Any],
    contract: Contract,
    delivery: str,
    objects: Sequence[int],
    *,
    received: int = 100,
    is_complete: bool = True,
    is_whole: bool = True,
    status: str = "loaded",
    supersedes: int | None = None,
    counties: Sequence[tuple[str, int]] = (),
) -> int:
    """A batch of these objects, and, where it is loaded, what a load notes of it; its number."""
    which = Delivery.parse(contract.cadence, delivery)
    with connection.transaction():
        row = connection.execute(
            "insert into ops.batch (feed, delivery, delivery_start, delivery_end, status, contract_hash, code_version,"
            " pseudonym_key_version, physical_lines, structural, received, accepted, refused, duplicates, inserted,"
            " changed, unchanged, withdrawn, is_complete, is_whole, supersedes_batch_id, newest_object_id, finished_at)"
            " values (%s, %s, %s, %s, %s, 'h', '1', '1', %s, 0, %s, %s, 0, 0, %s, 0, 0, 0, %s, %s, %s, %s, now())"
            " returning batch_id",
            [contract.feed, delivery, which.start, which.end, status, *[received] * 4, is_complete, is_whole,
             supersedes, max(objects)],
        ).fetchone()  # fmt: skip
        assert row is not None
        batch_id = int(row[0])
        connection.execute(
            "update ops.batch set order_number = coalesce((select o.order_number from ops.batch as o"
            " where o.batch_id = %s), batch_id) where batch_id = %s",
            [supersedes, batch_id],
        )
        connection.execute("insert into ops.batch_object select %s, unnest(%s::bigint[])", [batch_id, list(objects)])
        connection.execute("update ops.batch set status = 'superseded' where batch_id = %s", [supersedes])
        recount(connection, batch_id)
        if status == "loaded":
            record_arrival(connection, contract.feed, delivery, batch_id, counties)
    return batch_id


def send(
    connection: psycopg.Connection[Any],
    contract: Contract,
    delivery: str,
    fetched_at: dt.datetime,
    **of_batch: Any,
) -> int:
    """One file that is fetched and loaded; the batch."""
    part = of_batch.pop("part", "file")
    landed = land(connection, contract.feed, delivery, fetched_at, part=part)
    return judge(connection, contract, delivery, [landed], **of_batch)
