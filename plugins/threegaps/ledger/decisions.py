"""What people decided: that a stopped batch is meant, that a landed object has to go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors
from psycopg.rows import class_row

from threegaps.errors import LedgerError


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


@dataclass(frozen=True, slots=True)
class AskedAcceptance:
    """A decision that a stopped batch is meant, which the feed's next load carries out.

    Args:
        acceptance_request_id: Its number.
        batch_id: The batch.
        rule: The rule that is not to stop it any more.
        accepted_by: Who says so.
        reason: Why.
        accepted_at: When.
    """

    acceptance_request_id: int
    batch_id: int
    rule: str
    accepted_by: str
    reason: str
    accepted_at: dt.datetime


def ask_acceptance(
    connection: psycopg.Connection[Any], batch_id: int, rule: str, *, accepted_by: str, reason: str
) -> None:
    """Enter that a stopped batch is meant, for the feed's next load; said again in the same words it changes nothing.

    Raises:
        LedgerError: Somebody else has said so, or for another reason, and no load has taken that up yet.
    """
    try:
        with connection.transaction():
            connection.execute(
                "insert into ops.acceptance_request (batch_id, rule, accepted_by, reason) values (%s, %s, %s, %s)",
                [batch_id, rule, accepted_by, reason],
            )
    except errors.UniqueViolation:
        waiting = connection.execute(
            "select accepted_by, reason from ops.acceptance_request"
            " where batch_id = %s and rule = %s and taken_up_at is null",
            [batch_id, rule],
        ).fetchone()
        if waiting != (accepted_by, reason):
            raise LedgerError(
                f"Batch {batch_id} was accepted already, by somebody else or for another reason: that is what is kept.",
                advice="the feed's next load obeys it; nothing more is to be done.",
            ) from None


def asked_acceptances(connection: psycopg.Connection[Any], feed: str) -> list[AskedAcceptance]:
    """Decisions about batches of *feed* that no load has taken up yet, the oldest first."""
    with connection.cursor(row_factory=class_row(AskedAcceptance)) as cursor:
        return cursor.execute(
            "select r.acceptance_request_id, r.batch_id, r.rule, r.accepted_by, r.reason, r.accepted_at"
            " from ops.acceptance_request as r join ops.batch as b using (batch_id)"
            " where b.feed = %s and r.taken_up_at is null order by r.accepted_at",
            [feed],
        ).fetchall()


def note_taken_up(connection: psycopg.Connection[Any], asked: AskedAcceptance, *, why_not: str | None = None) -> None:
    """Note that a load has landed the decision, or *why_not*."""
    connection.execute(
        "update ops.acceptance_request set taken_up_at = clock_timestamp(), why_not = %s"
        " where acceptance_request_id = %s",
        [why_not, asked.acceptance_request_id],
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
