"""The second step of a feed run: judge and load what has landed."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg

from threegaps import __version__
from threegaps.batch.verdict import Previous
from threegaps.calendar import Delivery
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.errors import LedgerError
from threegaps.feed_run.due import batches_due, deliveries_to_load, is_complete
from threegaps.feed_run.opening import feed_of, warehouse_of
from threegaps.landing.store import LandingStore
from threegaps.ledger import batches
from threegaps.ledger.batches import Batch
from threegaps.ledger.landed import CONTROL_PART, LandedObject, landed_objects, latest_arrivals
from threegaps.settings import Settings
from threegaps.warehouse.load import BatchStoppedError, Plan, feed_lock, load_batch
from threegaps.warehouse.repairs import repaired_tokens

if TYPE_CHECKING:
    from threegaps.batch.decode import Part

logger = logging.getLogger(__name__)


def load(feed: str, delivery: str) -> list[int]:
    """Judge and load what has landed up to *delivery* and is not loaded yet: one batch a delivery, in order.

    Returns:
        The numbers of the batches loaded; none when nothing is new.

    Raises:
        BatchStoppedError: A rule stopped a batch; deliveries after it wait. Said again, without judging again, while
            nothing has changed.
        FeedError: A part cannot be decoded.
        LedgerError: The warehouse went away; a rerun starts from what it had before.
    """
    settings, contract, last = feed_of(feed, delivery)
    loaded: list[int] = []
    with warehouse_of(settings, feed) as connection, feed_lock(connection, feed, step="load"):
        for batch_id in batches.abandon_judging(connection, feed):
            logger.warning("%s: batch %d was left by a run that ended early; nothing of it was kept.", feed, batch_id)
        for one in deliveries_to_load(connection, contract, last):
            for objects, is_whole in batches_due(settings, connection, contract, one):
                loaded.append(load_one(settings, connection, contract, one, objects, is_whole=is_whole))
    if not loaded:
        logger.info("%s: nothing to load up to delivery %s.", feed, last)
    return loaded


def judge_again(batch_id: int) -> int:
    """Judge a loaded batch's landed objects again, by the contract and code of now; the batch that supersedes it.

    The new batch takes the old one's place in the order; what the old one said moves to history.

    Raises:
        LedgerError: The batch is not a loaded one.
    """
    settings = Settings.load()
    with warehouse_of(settings, None) as connection:
        old = batches.get_batch(connection, batch_id)
        contract = find_contract(settings.contracts_folder, old.feed)
        with feed_lock(connection, old.feed, step="load"):
            old = batches.get_batch(connection, batch_id)
            if old.status != "loaded":
                raise LedgerError(
                    f"Batch {batch_id} is {old.status}: only a loaded batch can be judged again.",
                    feed=old.feed,
                    advice="see `threegaps batches`.",
                )
            rows = connection.execute(
                "select landed_object_id from ops.batch_object where batch_id = %s", [batch_id]
            ).fetchall()
            objects = landed_objects(connection, [int(row[0]) for row in rows])
            delivery = Delivery.parse(contract.cadence, old.delivery)
            is_whole = contract.delivery_kind != "changes" and any(not one.is_correction for one in objects)
            return load_one(settings, connection, contract, delivery, objects, is_whole=is_whole, supersedes=old)


def load_one(
    settings: Settings,
    connection: psycopg.Connection[Any],
    contract: Contract,
    delivery: Delivery,
    objects: list[LandedObject],
    *,
    is_whole: bool,
    supersedes: Batch | None = None,
) -> int:
    """Judge and load these landed objects of a delivery as one batch; its number.

    Args:
        is_whole: They are the latest arrivals of the whole delivery.
        supersedes: The batch that judged them before, whose place the new one takes.

    Raises:
        BatchStoppedError: A rule stopped it, now or when they were judged before in the same way.
        FeedError: A part cannot be decoded.
        LedgerError: The warehouse is pseudonymised with another key.
    """
    # Heavy imports wait until there is something to judge.
    from threegaps.batch.judge import Judgement
    from threegaps.batch.pseudonym import load_key

    key = load_key()
    identifiers = [one.landed_object_id for one in objects]
    _refuse_another_key(connection, contract, str(key.version))
    if supersedes is None:
        _refuse_to_repeat_a_stop(connection, contract, identifiers, str(key.version))
    batch_id = batches.begin_batch(
        connection,
        feed=contract.feed,
        delivery=delivery.key,
        landed_object_ids=identifiers,
        contract_hash=contract.hash,
        code_version=__version__,
        pseudonym_key_version=str(key.version),
        contract_version=contract.version,
        source_columns=[column.name for column in contract.columns],
        supersedes=supersedes,
    )
    store = LandingStore(settings.landing_uri)
    parts = [part_of(store, one) for one in objects]
    repairs: list[str] = []
    if all(one.is_replay for one in objects):
        # What a batch rule says of a delivery (rows, shares) it does not say of a few repaired rows.
        contract = replace(contract, batch_rules=())
        for one in objects:
            with store.open(one) as file:
                repairs.extend(repaired_tokens(file.read()))
    before = batches.previous_batch(connection, contract.feed, delivery.key, batch_id)
    is_latest = is_whole and (
        supersedes is None
        or supersedes.batch_id == batches.last_whole_batch_id(connection, contract.feed, delivery.key)
    )
    # A part that the control file took back had arrived before it. Judging an earlier batch again knows of neither.
    latest = latest_arrivals(connection, contract.feed, delivery.key) if is_latest else {}
    control = [latest[CONTROL_PART].landed_object_id] if CONTROL_PART in latest else []
    plan = Plan(
        contract=contract,
        delivery=delivery,
        batch_id=batch_id,
        judge=lambda: Judgement(
            contract,
            parts,
            batch_id=batch_id,
            delivery=delivery.key,
            key=key,
            previous=None if before is None else _previous(connection, contract, before, is_whole=is_whole),
        ),
        is_whole=is_whole,
        is_complete=partial(is_complete, connection, store, contract, delivery, objects),
        newest_object_id=max([*identifiers, *control]),
        is_latest=is_latest,
        repairs=tuple(repairs),
        has_later_list=contract.delivery_kind == "full_list" and _has_later(connection, contract, delivery),
        supersedes_batch_id=None if supersedes is None else supersedes.batch_id,
        watermark_from=min((one.watermark_from for one in objects if one.watermark_from), default=None),
        watermark_to=max((one.watermark_to for one in objects if one.watermark_to), default=None),
    )
    done = load_batch(connection, plan)
    counts, merged = done.verdict.counts, done.merged
    logger.info(
        "%s %s: batch %d received %d rows: %d accepted (%d new, %d changed, %d unchanged, %d withdrawn), %d refused,"
        " %d duplicates; %d closed by absence; %s.",
        contract.feed,
        delivery,
        batch_id,
        counts.received,
        counts.accepted,
        merged.inserted,
        merged.changed,
        merged.unchanged,
        merged.withdrawn,
        counts.refused,
        counts.duplicates,
        merged.closed_by_absence,
        "complete" if done.is_complete else "not complete yet",
    )
    if counts.refused:
        reasons = ", ".join(
            f"{check.rule} {check.unexpected}" for check in done.verdict.checks if check.outcome == "refused_rows"
        )
        logger.info("%s: refused by %s. See `threegaps quarantine show --batch %d`.", contract.feed, reasons, batch_id)
    return batch_id


def part_of(store: LandingStore, one: LandedObject) -> Part:
    """A landed object as the judgement reads it."""
    from threegaps.batch.decode import Part

    return Part(one.landed_object_id, one.source_name, partial(store.open, one), one.is_correction, one.is_replay)


def _previous(
    connection: psycopg.Connection[Any], contract: Contract, before: Batch, *, is_whole: bool
) -> Previous | None:
    """The period before, for the batch rules; changes and corrections have no usual number of rows.

    Columns compare within one version of the contract: a new version is how columns change on purpose.
    """
    version, columns = batches.source_columns(connection, before.batch_id)
    return Previous(before.received if is_whole else None, columns if version == contract.version else None)


def _refuse_to_repeat_a_stop(
    connection: psycopg.Connection[Any], contract: Contract, identifiers: list[int], key_version: str
) -> None:
    judged = batches.batches_of_objects(connection, identifiers)
    now = (contract.hash, __version__, key_version)
    for batch in judged[:1]:
        if batch.status == "stopped" and now == (
            batch.contract_hash,
            batch.code_version,
            batch.pseudonym_key_version,
        ):
            raise BatchStoppedError(
                f"Batch {batch.batch_id} of {batch.delivery} was stopped by rule {batch.stop_rule}, and nothing has"
                f" changed since: {batch.message_en}",
                feed=contract.feed,
                advice="ask the department for a new delivery, or mend the contract.",
            )


def _refuse_another_key(connection: psycopg.Connection[Any], contract: Contract, key_version: str) -> None:
    """One key version is active in a warehouse: under two, the same person would be two."""
    row = connection.execute(
        "select pseudonym_key_version from ops.batch where status = 'loaded' and pseudonym_key_version <> %s limit 1",
        [key_version],
    ).fetchone()
    if row is not None:
        raise LedgerError(
            f"The warehouse is pseudonymised with key version {row[0]}, the key in force is version {key_version}.",
            feed=contract.feed,
            advice="put the former key back, or fill an empty warehouse with the new one (`threegaps rebuild`).",
        )


def _has_later(connection: psycopg.Connection[Any], contract: Contract, delivery: Delivery) -> bool:
    row = connection.execute(
        "select 1 from ops.batch where feed = %s and status = 'loaded' and is_complete and delivery > %s limit 1",
        [contract.feed, delivery.key],
    ).fetchone()
    return row is not None
