"""The second step of a feed run: judge and load what has landed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg

from threegaps import __version__
from threegaps.batch.verdict import Previous
from threegaps.calendar import Delivery, of_cadence
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError, LedgerError, of_warehouse
from threegaps.feed_run.accepting import check_acceptance, land_acceptance, land_asked, read_acceptance
from threegaps.feed_run.attempting import Run, attempt
from threegaps.feed_run.expected import keep_clock
from threegaps.feed_run.opening import feed_of, warehouse_of
from threegaps.feed_run.sendings import is_complete, sendings_to_load
from threegaps.labels import BATCH_STATUSES, both
from threegaps.landing.store import LandingStore
from threegaps.ledger import batches
from threegaps.ledger.batches import Batch
from threegaps.ledger.decisions import ask_acceptance, record_acceptance
from threegaps.ledger.landed import LandedObject, landed_of_batch
from threegaps.ledger.owing import enter
from threegaps.ledger.tickets import asked_keys
from threegaps.settings import Settings
from threegaps.standards.visible import log_of
from threegaps.warehouse.load import Plan, load_batch
from threegaps.warehouse.quarantine import refused_keys
from threegaps.warehouse.repairs import repaired_rows
from threegaps.warehouse.sessions import feed_lock
from threegaps.warehouse.stopping import BatchStoppedError, stop_advice

if TYPE_CHECKING:
    from threegaps.batch.decode import Part

logger = log_of(__name__)


def load(feed: str, delivery: str, run: Run | None = None) -> list[int]:
    """Judge and load what has landed up to *delivery* and is not loaded yet: one batch a sending, in the
    order of arrival.

    A sending that stops keeps no other one of its delivery waiting; the originals of a delivery, where they stop, keep
    what has arrived since of other deliveries waiting.

    Args:
        run: The run of Airflow that it belongs to, for the ledger's entry of the attempt.

    Returns:
        The numbers of the batches loaded; none when nothing is new.

    Raises:
        BatchStoppedError: A rule stopped a batch. Raised again, without judging again, while nothing has changed.
        FeedError: A part cannot be decoded. Of several errors the first is raised, when the others have been logged.
        LedgerError: The warehouse went away; a rerun starts from what it had before.
    """
    settings = Settings.load()
    with (
        warehouse_of(settings, feed) as connection,
        feed_lock(connection, feed, step="load"),
        attempt(settings, connection, feed, "load", delivery, run),
    ):
        contract, last = feed_of(settings, feed, delivery)
        loaded = _load_due(settings, connection, contract, last)
    if not loaded:
        logger.info("%s: nothing to load up to delivery %s.", feed, last)
    return loaded


def counts_of(batch_ids: Sequence[int]) -> dict[str, int]:
    """Rows received, accepted, refused and duplicate in these batches together; nothing where they cannot be asked.

    What was loaded stands: to fail for its counts would only lose the event that wakes the marts.
    """
    try:
        with psycopg.connect(Settings.load().warehouse_dsn(), autocommit=True) as connection:
            sums = batches.counts(connection, batch_ids)
    except psycopg.Error as error:
        logger.warning("The counts of what was loaded could not be read: %s.", of_warehouse(error))
        return {}
    return sums


def _load_due(settings: Settings, connection: psycopg.Connection[Any], contract: Contract, last: Delivery) -> list[int]:
    """The numbers of the batches of what is due up to *last*; the first error is raised when all has been tried."""
    feed = contract.feed
    loaded: list[int] = []
    for batch_id in batches.abandon_judging(connection, feed):
        logger.warning("%s: batch %d was left by a run that ended early; nothing of it was kept.", feed, batch_id)
    keep_clock(connection, settings)
    enter(connection, contract)
    land_asked(connection, LandingStore(settings.landing_uri), contract)
    faults: list[FeedError] = []
    waits_for: Delivery | None = None
    for due in sendings_to_load(settings, connection, contract, last):
        if waits_for not in {None, due.delivery}:
            continue
        try:
            loaded.append(load_one(settings, connection, contract, due.delivery, due.objects, is_whole=due.is_whole))
        except FeedError as fault:
            faults.append(fault)
            if not all(landed.is_correction for landed in due.objects):
                waits_for = due.delivery
    for other in faults[1:]:
        logger.error("%s", other)
    if faults:
        raise faults[0]
    return loaded


def judge_again(batch_id: int) -> int:
    """Judge a loaded batch's landed objects again, by the contract and code of now; the batch that supersedes it.

    The new batch takes the old one's number in the order; the old one's rows move to history.

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
                    f"Batch {batch_id} is {both(BATCH_STATUSES, old.status)}: only a loaded batch can be judged again.",
                    feed=old.feed,
                    advice="see `threegaps batches`.",
                )
            objects = landed_of_batch(connection, batch_id)
            delivery = Delivery.of_key(old.delivery)
            with attempt(settings, connection, old.feed, "load", old.delivery):
                return load_one(
                    settings, connection, contract, delivery, objects, is_whole=old.is_whole, supersedes=old
                )


def accept(batch_id: int, *, accepted_by: str, reason: str) -> int:
    """Load what a rule stopped because of how few rows it has, on somebody's word that it is meant; the new batch.

    The same landed objects are judged again; everything else that can stop them still does.

    Args:
        accepted_by: Who says so.
        reason: Why.

    Raises:
        LedgerError: The batch is not a stopped one, not by such a rule, or something has arrived since.
        BatchStoppedError: Another rule stops it.
    """
    settings = Settings.load()
    with warehouse_of(settings, None) as connection:
        contract = find_contract(settings.contracts_folder, batches.get_batch(connection, batch_id).feed)
        store = LandingStore(settings.landing_uri)
        with feed_lock(connection, contract.feed, step="load"):
            stopped = batches.get_batch(connection, batch_id)
            decision = land_acceptance(connection, store, contract, stopped, accepted_by=accepted_by, reason=reason)
            objects = [*landed_of_batch(connection, batch_id), decision]
            supersedes = None
            if stopped.supersedes_batch_id is not None:
                supersedes = batches.get_batch(connection, stopped.supersedes_batch_id)
            delivery = Delivery.of_key(stopped.delivery)
            with attempt(settings, connection, contract.feed, "load", stopped.delivery):
                return load_one(
                    settings,
                    connection,
                    contract,
                    delivery,
                    objects,
                    is_whole=stopped.is_whole,
                    supersedes=supersedes if supersedes is not None and supersedes.status == "loaded" else None,
                )


def accept_for_next_load(
    settings: Settings, connection: psycopg.Connection[Any], batch_id: int, *, accepted_by: str, reason: str
) -> None:
    """Enter in the ledger that a stopped batch is meant, and judge nothing: the feed's next load lands and obeys it.

    For where nobody waits for a load, and landing is not to be had, such as a page.

    Args:
        settings: Where contracts are.
        connection: The warehouse.
        batch_id: The batch.
        accepted_by: Who says so.
        reason: Why.

    Raises:
        LedgerError: As of `accept`, or another acceptance waits for the load.
    """
    stopped = batches.get_batch(connection, batch_id)
    contract = find_contract(settings.contracts_folder, stopped.feed)
    check_acceptance(connection, contract, stopped, accepted_by=accepted_by, reason=reason)
    ask_acceptance(connection, batch_id, str(stopped.stop_rule), accepted_by=accepted_by.strip(), reason=reason.strip())


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
        supersedes: The batch that judged them before, whose number in the order the new one takes.

    Raises:
        BatchStoppedError: A rule stopped it, now or when they were judged before in the same way.
        FeedError: A part cannot be decoded.
        LedgerError: The warehouse is pseudonymised with another key.
    """
    # Heavy imports wait until there is something to judge.
    from threegaps.batch.judge import Judgement
    from threegaps.batch.key_hashes import waited_for
    from threegaps.batch.pseudonym import load_key

    key = load_key()
    identifiers = [landed.landed_object_id for landed in objects]
    _refuse_another_key(connection, contract, str(key.version))
    if supersedes is None:
        _refuse_to_repeat_a_stop(connection, contract, identifiers, str(key.version))
    batch_id = batches.begin_batch(
        connection,
        feed=contract.feed,
        delivery=delivery,
        landed_object_ids=identifiers,
        is_whole=is_whole,
        contract_hash=contract.hash,
        code_version=__version__,
        pseudonym_key_version=str(key.version),
        contract_version=contract.version,
        source_columns=[column.name for column in contract.columns],
        supersedes=supersedes,
    )
    # By such lines `threegaps purge` knows which batch what follows is of.
    logger.info(
        "%s %s: batch %d judges landed objects %s.",
        contract.feed,
        delivery,
        batch_id,
        ", ".join(map(str, identifiers)),
    )
    store = LandingStore(settings.landing_uri)
    judged = [landed for landed in objects if landed.is_judged]
    parts = [part_of(store, contract, landed) for landed in judged]
    repairs: dict[str, tuple[int, int]] = {}
    if all(landed.is_replay or landed.is_outside for landed in judged):
        # What a batch rule says of a delivery (rows, shares) it does not say of a few repaired rows, or of those that
        # are all to be refused.
        contract = replace(contract, batch_rules=())
        for landed in (landed for landed in judged if landed.is_replay):
            with store.open(landed) as file:
                for token, row_number in repaired_rows(file.read()).items():
                    repairs[token] = landed.landed_object_id, row_number
    before = batches.previous_batch(connection, batch_id)
    supersedes_batch_id = None if supersedes is None else supersedes.batch_id
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
            previous=None if before is None else previous_of(connection, contract, before, is_whole=is_whole),
            waited_for=waited_for(
                [*refused_keys(connection, contract.feed), *asked_keys(connection, contract.feed, supersedes_batch_id)]
            ),
        ),
        is_whole=is_whole,
        is_complete=partial(is_complete, connection, store, contract, delivery, objects),
        repairs=repairs,
        accepted_rules=_note_acceptances(connection, store, batch_id, objects),
        supersedes_batch_id=supersedes_batch_id,
        watermark_from=min((landed.watermark_from for landed in objects if landed.watermark_from), default=None),
        watermark_to=max((landed.watermark_to for landed in objects if landed.watermark_to), default=None),
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


def part_of(store: LandingStore, contract: Contract, landed: LandedObject) -> Part:
    """A landed object as the judgement reads it."""
    from threegaps.batch.decode import Part

    return Part(
        landed.landed_object_id,
        landed.source_name,
        partial(store.open, landed),
        landed.is_correction,
        landed.is_replay,
        Delivery.of_key(landed.delivery).end,
    )


def previous_of(
    connection: psycopg.Connection[Any], contract: Contract, before: Batch, *, is_whole: bool
) -> Previous | None:
    """The period before, for the batch rules; changes and corrections have no usual number of rows.

    Rows compare within one cadence, but for a list, which is whole whenever it comes. Columns compare within one
    version of the contract: a new version is how columns change on purpose.
    """
    version, columns = batches.source_columns(connection, before.batch_id)
    is_comparable = contract.delivery_kind == "full_list" or bool(of_cadence(contract.cadence, [before.delivery]))
    return Previous(
        before.received if is_whole and is_comparable else None, columns if version == contract.version else None
    )


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
                f" changed since: {(batch.message_en or '').rstrip('.')}.",
                feed=contract.feed,
                message_zh=f"{batch.delivery}的批次{batch.batch_id}被规则{batch.stop_rule}停止,此后没有变化:{batch.message_zh}",
                advice=stop_advice(batch.batch_id, batch.stop_rule),
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


def _note_acceptances(
    connection: psycopg.Connection[Any], store: LandingStore, batch_id: int, objects: list[LandedObject]
) -> tuple[str, ...]:
    """The rules that somebody has said are not to stop the batch, entered in the ledger."""
    rules: list[str] = []
    for landed in objects:
        if landed.is_acceptance:
            decision = read_acceptance(store, landed)
            rules.extend(decision.rules)
            record_acceptance(
                connection,
                landed_object_id=landed.landed_object_id,
                batch_id=batch_id,
                rules=decision.rules,
                accepted_by=decision.accepted_by,
                reason=decision.reason,
                accepted_at=dt.datetime.fromisoformat(decision.accepted_at),
            )
    return tuple(rules)
