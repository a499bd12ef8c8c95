"""What people decided: that a stopped batch is meant, that a landed object has to go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import psycopg


def record_acceptance(
    connection: psycopg.Connection[Any],
    *,
    landed_object_id: int,
    batch_id: int,
    rules: Iterable[str],
    accepted_by: str,
    reason: str,
    accepted_at: dt.datetime,
) -> None:
    """Enter that a batch was loaded although *rules* had stopped it; a batch judged later takes it over.

    Args:
        landed_object_id: The decision itself, as it lies in landing.
    """
    connection.execute(
        "insert into ops.acceptance (landed_object_id, batch_id, rules, accepted_by, reason, accepted_at)"
        " values (%s, %s, %s, %s, %s, %s) on conflict (landed_object_id) do update set batch_id = excluded.batch_id",
        [landed_object_id, batch_id, list(rules), accepted_by, reason, accepted_at],
    )


def record_purge(
    connection: psycopg.Connection[Any],
    *,
    landed_object_id: int,
    purged_by: str,
    reason: str,
    purged_at: dt.datetime,
    messages: int,
    log_lines: int,
) -> None:
    """Enter that a landed object's bytes, messages and log lines have been removed on order."""
    connection.execute(
        "insert into ops.purge (landed_object_id, purged_by, reason, purged_at, messages, log_lines)"
        " values (%s, %s, %s, %s, %s, %s) on conflict (landed_object_id) do nothing",
        [landed_object_id, purged_by, reason, purged_at, messages, log_lines],
    )


def purged_at(connection: psycopg.Connection[Any], landed_object_id: int) -> dt.datetime | None:
    """When a landed object was purged; None where it was not."""
    row = connection.execute(
        "select purged_at from ops.purge where landed_object_id = %s", [landed_object_id]
    ).fetchone()
    return None if row is None else row[0]


def remove_texts(connection: psycopg.Connection[Any], landed_object_id: int) -> tuple[list[int], int]:
    """Remove what the ledger and the quarantine quote of a landed object; its batches, and how many messages it had.

    Counts, rules, tokens and reasons stay: they are ours.
    """
    with connection.transaction():
        rows = connection.execute(
            "select batch_id from ops.batch_object where landed_object_id = %s order by 1", [landed_object_id]
        ).fetchall()
        batch_ids = [int(row[0]) for row in rows]
        messages = connection.execute(
            "update ops.batch set message_en = 'This message was purged.', message_zh = '本条消息已按要求清除。'"
            " where batch_id = any(%s) and coalesce(message_en, '') not in ('', 'This message was purged.')",
            [batch_ids],
        ).rowcount
        messages += connection.execute(
            "update quarantine.refused_row set row_data = '{}' where landed_object_id = %s and row_data <> '{}'",
            [landed_object_id],
        ).rowcount
        _remove_told(connection, landed_object_id)
    return batch_ids, messages


def _remove_told(connection: psycopg.Connection[Any], landed_object_id: int) -> None:
    """Remove what attempts, incidents and messages about them repeat of what was said of a landed object."""
    wanted = {"object": landed_object_id, "en": "This message was purged.", "zh": "本条消息已按要求清除。"}
    connection.execute(
        "update ops.attempt as a set message_en = %(en)s, message_zh = %(zh)s from ops.landed_object as l"
        " where l.landed_object_id = %(object)s and a.feed = l.feed and a.delivery = l.delivery"
        " and a.message_en is not null",
        wanted,
    )
    connection.execute(
        "with told as ("
        " update ops.incident as i set detail_en = %(en)s, detail_zh = %(zh)s from ops.landed_object as l"
        " where l.landed_object_id = %(object)s and l.feed = any(i.feeds)"
        " and i.kind in ('feed_stopped', 'feed_batch_failed', 'feed_failing', 'feed_unreachable')"
        " returning i.incident_id)"
        " update ops.outbox as o set body = %(en)s,"
        " content = o.content || jsonb_build_object('detail_en', %(en)s::text, 'detail_zh', %(zh)s::text)"
        " from told where o.incident_id = told.incident_id",
        wanted,
    )
