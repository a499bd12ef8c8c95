"""Tickets of a ledger of version 0023: which batch accepted a row is told by what ended its refusal, however often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from threegaps.ledger import migrate
from threegaps.ledger.migrate import upgrade

pytestmark = pytest.mark.integration

Refusal = tuple[int, str | None, int | None]
"""The batch, the row's key, and the batch that ended it."""
CASES: dict[str, tuple[list[str], list[Refusal], int | None]] = {
    "accepted": (["file1", "file2"], [(1, "k", 2)], 2),
    "after one repair": (["file1", "replay-1", "file3"], [(1, "k", 2), (2, "k", 3)], 3),
    "after two": (["file1", "replay-1", "replay-2", "file4"], [(1, "k", 2), (2, "k", 3), (3, "k", 4)], 4),
    "refused still": (["file1", "replay-1", "file3"], [(1, "k", 2), (2, "k", None)], None),
    "what refused it judged again": (["file1", "again-1", "file3"], [(1, "k", 2), (2, "k", 3)], 3),
    "what accepted it judged again": (["file1", "file2", "again-2"], [(1, "k", 2)], 3),
    "so, and refused then": (["file1", "file2", "again-2"], [(1, "k", 2), (3, "k", None)], None),
    "a batch that is replaced": (["file1", "file2"], [(1, "k", 2), (2, "k", 2)], None),
    "no key, its repair right": (["file1", "replay-1"], [(1, None, 2)], 2),
    "no key, its repair wrong": (["file1", "replay-1"], [(1, None, 2), (2, None, None)], None),
    "no key, sent again": (["file1", "file2"], [(1, None, 2)], None),
}
"""Batches by what they judge (``again-2`` judges batch 2 again, ``replay-1`` is a repair), the refusals of a row that a
ticket asks about, and the batch that has accepted it."""


def enter_batch(connection: psycopg.Connection[Any], feed: str, status: str, supersedes: int | None, part: str) -> int:
    """One batch of one landed object; its number."""
    ((landed,),) = connection.execute(
        "insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri, size_bytes, sha256,"
        " fetched_at) values (%s, '2026', %s, 1, 'x', 'file:///x', 1, repeat('0', 64), now())"
        " returning landed_object_id",
        [feed, part],
    )
    ((batch,),) = connection.execute(
        "insert into ops.batch (feed, delivery, delivery_start, delivery_end, status, contract_hash, code_version,"
        " pseudonym_key_version, supersedes_batch_id) values (%s, '2026', '2026-01-01', '2026-12-31', %s, 'h', 'c',"
        " '1', %s) returning batch_id",
        [feed, status, supersedes],
    )
    connection.execute("insert into ops.batch_object (batch_id, landed_object_id) values (%s, %s)", [batch, landed])
    return int(batch)


def enter(connection: psycopg.Connection[Any], feed: str, batches: Sequence[str], refusals: Sequence[Refusal]) -> int:
    """One case, with a ticket that asks about its first refusal; how many batches there were before."""
    of_which = [int(name.removeprefix("again-")) if name.startswith("again-") else None for name in batches]
    ((before,),) = connection.execute("select coalesce(max(batch_id), 0) from ops.batch")
    for number, (name, again) in enumerate(zip(batches, of_which, strict=True), 1):
        status = "superseded" if number in of_which else "loaded"
        enter_batch(connection, feed, status, None if again is None else before + again, name)
    for place, (batch, key, closed_by) in enumerate(refusals):
        connection.execute(
            "insert into quarantine.refused_row (row_token, batch_id, feed, delivery, landed_object_id, row_number,"
            " county_code, row_data, reasons, key_hash, closed_by_batch_id) select %s, batch_id, %s, '2026',"
            " landed_object_id, 1, '330106', '{}', '[]', %s, %s from ops.batch_object where batch_id = %s",
            [f"{feed} {place}", feed, key, None if closed_by is None else before + closed_by, before + batch],
        )
    connection.execute(
        "with made as (insert into ops.ticket (feed, rows, sent_to, sent_by, file_name, file_sha256)"
        " values (%s, 1, 'x', 'y', 'f', repeat('0', 64)) returning ticket_id)"
        " insert into ops.ticket_row (ticket_id, row_token, batch_id) select ticket_id, %s, %s from made",
        [feed, f"{feed} 0", before + refusals[0][0]],
    )
    return int(before)


def test_what_accepted_a_row_is_followed(empty_database: str) -> None:
    with pytest.MonkeyPatch.context() as older:
        older.setattr(migrate, "KNOWN_VERSION", "0023")
        upgrade(empty_database)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        before = {name: enter(connection, name, *case[:2]) for name, case in CASES.items()}
        upgrade(empty_database)
        found = connection.execute(
            "select t.feed, r.accepted_by_batch_id from ops.ticket as t join ops.ticket_row as r using (ticket_id)"
        ).fetchall()
    assert {name: number and number - before[name] for name, number in found} == {
        name: accepted_by for name, (_, _, accepted_by) in CASES.items()
    }
