"""Removing a landed object on order: its bytes, what the ledger quotes of it, and the log lines that name it.

What was accepted of it stands, with its counts; the hash of its bytes stays, and the ledger says who removed it, when
and why. So does landing, for a warehouse that is built anew: that lacks the delivery and says so.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from threegaps.errors import FeedError, LedgerError
from threegaps.feed_run.decisions import check_words, land_decision
from threegaps.feed_run.log_lines import Named, remove_lines
from threegaps.feed_run.opening import warehouse_of
from threegaps.landing.store import LandingStore
from threegaps.ledger.decisions import purged_at, record_purge, remove_texts
from threegaps.ledger.landed import PURGE_PREFIX, LandedObject, is_name_shared, landed_objects
from threegaps.settings import Settings
from threegaps.warehouse.sessions import feed_lock


@dataclass(frozen=True, slots=True)
class Purged:
    """What was removed.

    Args:
        landed_object_id: The landed object that it was.
        sha256: The hash of its bytes.
        batch_ids: The batches that had judged it.
        messages: Texts of the ledger and of refused rows.
        log_lines: Lines of log files.
        purged_at: ISO, with its offset.
    """

    landed_object_id: int
    sha256: str
    batch_ids: tuple[int, ...]
    messages: int
    log_lines: int
    purged_by: str
    reason: str
    purged_at: str


def purge(
    landed_object_id: int,
    *,
    purged_by: str,
    reason: str,
    task_logs: Sequence[Path],
    own_logs: Sequence[Path],
) -> Purged:
    """Remove a landed object. Cut off, it is done when it is called again.

    Args:
        purged_by: Who orders it.
        reason: Why.
        task_logs: Folders with the logs of feeds' tasks: every error that came up while the object was judged and
            loaded goes, for it may quote it.
        own_logs: Folders with logs of everything else: lines that name the object or its batches go.

    Raises:
        LedgerError: There is no such landed object, it was purged before, or nobody or no reason is named.
    """
    settings = Settings.load()
    with warehouse_of(settings, None) as connection:
        found = landed_objects(connection, [landed_object_id])
        if not found:
            raise LedgerError(
                f"There is no landed object {landed_object_id}.", advice="`threegaps explain` names those of a figure."
            )
        (landed,) = found
        check_words(landed.feed, {"who orders it": purged_by, "why it has to go": reason})
        with feed_lock(connection, landed.feed, step="land"), feed_lock(connection, landed.feed, step="load"):
            before = purged_at(connection, landed_object_id)
            if before is not None:
                raise LedgerError(
                    f"Landed object {landed_object_id} was purged on {before:%Y-%m-%d}.",
                    feed=landed.feed,
                    advice="its hash and its counts are all that is kept.",
                )
            store = LandingStore(settings.landing_uri)
            store.end_copy(connection, landed)
            batch_ids, messages = remove_texts(connection, landed_object_id)
            own, shared = [Path(landed.uri).name], [landed.source_name]
            if not is_name_shared(connection, landed):
                own, shared = own + shared, []
            named = Named(landed_object_id, batch_ids, own, shared)
            lines = remove_lines(task_logs, named, hides_errors=True)
            lines += remove_lines(own_logs, named, hides_errors=False)
            done = Purged(
                landed_object_id=landed_object_id,
                sha256=landed.sha256,
                batch_ids=tuple(batch_ids),
                messages=messages,
                log_lines=lines,
                purged_by=purged_by.strip(),
                reason=reason.strip(),
                purged_at=dt.datetime.now(dt.UTC).isoformat(),
            )
            land_decision(connection, store, landed.feed, landed.delivery, PURGE_PREFIX, done)
            _record(connection, done)
    return done


def purged_objects(store: LandingStore, landed: Sequence[LandedObject]) -> set[int]:
    """The numbers of the landed objects that orders among *landed* had removed."""
    return {done.landed_object_id for done in _orders(store, landed)}


def note_landed_purges(
    connection: psycopg.Connection[Any], store: LandingStore, landed: Sequence[LandedObject]
) -> None:
    """Enter in the ledger the orders among *landed*, as a warehouse that is built anew has to.

    Raises:
        FeedError: An order cannot be read.
    """
    for done in _orders(store, landed):
        _record(connection, done)


def _orders(store: LandingStore, landed: Sequence[LandedObject]) -> Iterator[Purged]:
    for arrival in landed:
        if not arrival.is_purge or arrival.copies_ended_at is not None:
            continue
        try:
            with store.open(arrival) as file:
                values = json.loads(file.read())
            yield Purged(**{**values, "batch_ids": tuple(values["batch_ids"])})
        except (ValueError, TypeError, KeyError):
            raise FeedError(
                "The order to purge a landed object cannot be read.",
                feed=arrival.feed,
                file=arrival.source_name,
                advice="put the file back from a backup of landing.",
            ) from None


def _record(connection: psycopg.Connection[Any], done: Purged) -> None:
    record_purge(
        connection,
        landed_object_id=done.landed_object_id,
        purged_by=done.purged_by,
        reason=done.reason,
        purged_at=dt.datetime.fromisoformat(done.purged_at),
        messages=done.messages,
        log_lines=done.log_lines,
    )
