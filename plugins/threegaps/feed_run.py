"""The two steps of a feed run: land what a department offers, then load it.

Both need no Airflow context: addresses come from connections, the delivery is given. Both may be run again at any
time: what is there already is left alone.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from threegaps import __version__
from threegaps.calendar import Delivery, deliveries_between
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import PERSON_COLUMN
from threegaps.errors import FeedError, LedgerError, SourceUnavailableError
from threegaps.landing.store import Arrival, LandingStore
from threegaps.ledger import batches
from threegaps.ledger.batches import Batch
from threegaps.ledger.landed import (
    CONTROL_PART,
    REPLAY_PREFIX,
    LandedObject,
    landed_deliveries,
    landed_objects,
    latest_arrivals,
    overtaken_windows,
)
from threegaps.ledger.migrate import check_connection
from threegaps.ledger.watermarks import get_watermark
from threegaps.settings import Settings
from threegaps.sources.files import announced
from threegaps.sources.model import FIRST_WATERMARK
from threegaps.sources.opening import open_changes, open_files
from threegaps.warehouse.load import BatchStoppedError, Plan, feed_lock, load_batch
from threegaps.warehouse.quarantine import RefusedRow, refused_by_token
from threegaps.warehouse.repairs import Repair, is_touched, laid_over, read_repairs, repaired_tokens, repairs_file

if TYPE_CHECKING:
    from threegaps.batch.decode import Part
    from threegaps.batch.judge import Previous

logger = logging.getLogger(__name__)

_CLOCK = "%Y-%m-%d %H:%M:%S"
# A file whose time is so near to our fetch may have been written again within the same tick of its clock.
_SAME_TICK = dt.timedelta(seconds=2)


def land(feed: str, delivery: str) -> list[int]:
    """Fetch to landing what is offered of *delivery* and of every delivery before it, and has not landed yet.

    Returns:
        The numbers of the new landed objects, in order; none when nothing is new.

    Raises:
        SettingsError: *delivery* is no key of this feed's cadence.
        FeedError: The department's system refuses us, or something that it offers cannot be landed.
        SourceUnavailableError: It does not answer.
    """
    settings, contract, last = _feed(feed, delivery)
    store = LandingStore(settings.landing_uri)
    with _warehouse(settings, feed) as connection, feed_lock(connection, feed, step="land"):
        if contract.delivery_kind == "changes":
            landed = _land_changes(connection, store, contract, last)
        else:
            landed = _land_files(connection, store, contract, last)
    if landed:
        size = sum(one.size_bytes for one in landed)
        logger.info("%s: landed %d objects, %d bytes, up to delivery %s.", feed, len(landed), size, last)
    else:
        logger.info("%s: nothing new up to delivery %s.", feed, last)
    return [one.landed_object_id for one in landed]


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
    settings, contract, last = _feed(feed, delivery)
    loaded: list[int] = []
    with _warehouse(settings, feed) as connection, feed_lock(connection, feed, step="load"):
        for batch_id in batches.abandon_judging(connection, feed):
            logger.warning("%s: batch %d was left by a run that ended early; nothing of it was kept.", feed, batch_id)
        for one in _deliveries_to_load(connection, contract, last):
            for objects, is_whole in _work(settings, connection, contract, one):
                loaded.append(_load_one(settings, connection, contract, one, objects, is_whole=is_whole))
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
    with _warehouse(settings, None) as connection:
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
            return _load_one(settings, connection, contract, delivery, objects, is_whole=is_whole, supersedes=old)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a department's repairs.

    Args:
        batch_id: The last batch that they made.
        batch_ids: All of them, one a delivery that rows were mended of.
        untouched: Rows of the file that nobody changed: they wait as before.
    """

    batch_id: int
    batch_ids: tuple[int, ...]
    accepted: int
    refused: int
    duplicates: int
    untouched: int


def replay(feed: str, path: Path) -> Replayed:
    """Lay a department's repairs over its refused rows and judge them again, in a batch of their own a delivery.

    A repair ends the refusal that it mends, once: the row is accepted, or refused anew for what is still wrong.

    Args:
        path: The exported file as it came back, ``.csv`` in UTF-8 or ``.xlsx``.

    Raises:
        FeedError: The file is no exported one, names a row that was never refused, or has nothing left to mend.
    """
    settings = Settings.load()
    contract = find_contract(settings.contracts_folder, feed)
    repairs = read_repairs(contract, path)
    store = LandingStore(settings.landing_uri)
    made: list[int] = []
    with _warehouse(settings, feed) as connection, feed_lock(connection, feed, step="load"):
        refused = refused_by_token(connection, feed, [one.row_token for one in repairs])
        for unknown in (one for one in repairs if one.row_token not in refused):
            raise FeedError(
                f"No row of a loaded batch was refused under the token {unknown.row_token!r}.",
                feed=feed,
                file=path.name,
                row=unknown.row_number,
                advice="send back rows of this feed's export; a stopped batch needs a new delivery instead.",
            )
        waiting = [one for one in repairs if refused[one.row_token].closed_by_batch_id is None]
        touched = [one for one in waiting if is_touched(one, refused[one.row_token].row_data)]
        if not touched:
            raise FeedError(
                f"The file has nothing to replay: {len(repairs) - len(waiting)} rows are mended already,"
                f" {len(waiting)} are as they were.",
                feed=feed,
                file=path.name,
                advice="change the cells that the reasons name.",
            )
        for key in sorted({refused[one.row_token].delivery for one in touched}):
            chosen = [one for one in touched if refused[one.row_token].delivery == key]
            landed = _land_repairs(connection, store, contract, key, path.name, chosen, refused)
            delivery = Delivery.parse(contract.cadence, key)
            made.append(_load_one(settings, connection, contract, delivery, [landed], is_whole=False))
        done = [batches.get_batch(connection, batch_id) for batch_id in made]
    return Replayed(
        batch_id=made[-1],
        batch_ids=tuple(made),
        accepted=sum(one.accepted or 0 for one in done),
        refused=sum(one.refused or 0 for one in done),
        duplicates=sum(one.duplicates or 0 for one in done),
        untouched=len(waiting) - len(touched),
    )


def _land_repairs(
    connection: psycopg.Connection[Any],
    store: LandingStore,
    contract: Contract,
    delivery: str,
    file_name: str,
    repairs: list[Repair],
    refused: dict[str, RefusedRow],
) -> LandedObject:
    """Land repaired rows as a part of their own; document numbers that were not sent out come from what had landed."""
    numbers: dict[str, str | None] = {}
    if contract.has_person:
        kept = [refused[one.row_token] for one in repairs if not one.values[PERSON_COLUMN]]
        for identifier in sorted({one.landed_object_id for one in kept}):
            (landed,) = landed_objects(connection, [identifier])
            wanted = {one.row_number: one.row_token for one in kept if one.landed_object_id == identifier}
            numbers.update(_document_numbers(store, contract, landed, wanted))
    rows = [
        (one, laid_over(contract, one, refused[one.row_token].row_data, numbers.get(one.row_token))) for one in repairs
    ]
    place = 1 + sum(1 for one in latest_arrivals(connection, contract.feed, delivery).values() if one.is_replay)
    content = repairs_file(rows)
    part = Arrival(f"{REPLAY_PREFIX}{place:04d}", file_name, lambda: [content], is_correction=True)
    made = store.land(connection, contract.feed, delivery, part)
    if made is None:
        raise LedgerError(f"Part {part.part} of {delivery} is there already.", feed=contract.feed, file=file_name)
    return made


def _document_numbers(
    store: LandingStore, contract: Contract, landed: LandedObject, wanted: dict[int, str]
) -> Iterator[tuple[str, str | None]]:
    """The document numbers of some rows of a landed part, by token; *wanted* has tokens by row number."""
    from threegaps.batch.judge import Judgement
    from threegaps.batch.pseudonym import load_key

    part = _part(store, landed)
    reading = Judgement(contract, [part], batch_id=0, delivery=landed.delivery, key=load_key())
    for block in reading.text_blocks():
        for number, text in zip(block.row_numbers, block.frame[PERSON_COLUMN], strict=True):
            if number in wanted:
                yield wanted[number], text


def _feed(feed: str, delivery: str) -> tuple[Settings, Contract, Delivery]:
    settings = Settings.load()
    contract = find_contract(settings.contracts_folder, feed)
    return settings, contract, Delivery.parse(contract.cadence, delivery)


@contextmanager
def _warehouse(settings: Settings, feed: str | None) -> Iterator[psycopg.Connection[Any]]:
    """The warehouse in autocommit; its going away is told in plain words."""
    try:
        with psycopg.connect(settings.warehouse_dsn(), autocommit=True, application_name="threegaps") as connection:
            check_connection(connection)
            yield connection
    except psycopg.OperationalError as error:
        raise LedgerError(
            f"The warehouse does not answer: {str(error).strip().splitlines()[0]}",
            feed=feed,
            advice="see that it is up (`threegaps status`), then run the task again: nothing half-done is kept.",
        ) from error


# --- landing ------------------------------------------------------------------------------------------------------


def _land_changes(
    connection: psycopg.Connection[Any], store: LandingStore, contract: Contract, last: Delivery
) -> list[LandedObject]:
    """One window from the watermark, less the declared overlap, to the end of the delivery's last day."""
    end = dt.datetime.combine(last.next().start, dt.time()).strftime(_CLOCK)
    watermark = get_watermark(connection, contract.feed)
    if watermark is not None and watermark >= end:
        logger.info("%s: everything before %s has been loaded already.", contract.feed, watermark)
        return []
    start = str(contract.source.get("watermark_start", FIRST_WATERMARK))
    if watermark is not None:
        overlap = dt.timedelta(seconds=contract.watermark_overlap_seconds)
        start = (dt.datetime.strptime(watermark, _CLOCK) - overlap).strftime(_CLOCK)  # noqa: DTZ007  # Shanghai clock
    known = latest_arrivals(connection, contract.feed, last.key).values()
    same = [one.landed_object_id for one in known if (one.watermark_from, one.watermark_to) == (start, end)]
    # A window that could not be loaded is fetched again: the department may have mended what was wrong with it.
    if same and not batches.unloadable_object_ids(connection, same):
        logger.info("%s: the window from %s to %s has landed already.", contract.feed, start, end)
        return []
    with open_changes(contract) as source:
        landed = store.land(connection, contract.feed, last.key, source.window(start, end))
    return [] if landed is None else [landed]


def _land_files(
    connection: psycopg.Connection[Any], store: LandingStore, contract: Contract, last: Delivery
) -> list[LandedObject]:
    there = landed_deliveries(connection, contract.feed)
    # Earlier deliveries too: a correction or a part may be put into their folder long after they have landed.
    wanted = list(deliveries_between(contract.cadence, contract.first_delivery, last.key))
    landed: list[LandedObject] = []
    with open_files(contract) as source:
        for delivery in wanted or [last]:
            is_expected = delivery == last or delivery.key not in there
            try:
                offer = source.offer(delivery)
            except SourceUnavailableError:
                raise
            except FeedError as error:
                if is_expected:
                    raise
                logger.warning("%s: delivery %s stays as it is: %s", contract.feed, delivery, error)
                continue
            if is_expected and offer.waiting_for is not None:
                logger.info("%s: delivery %s waits for %s.", contract.feed, delivery, offer.waiting_for)
            known = latest_arrivals(connection, contract.feed, delivery.key)
            for arrival in offer.arrivals:
                if _is_same_file(known.get(arrival.part), arrival):
                    continue
                one = store.land(connection, contract.feed, delivery.key, arrival)
                if one is not None:
                    landed.append(one)
    return landed


def _is_same_file(known: LandedObject | None, arrival: Arrival) -> bool:
    """Whether name, size and time say that a file is the one that we have, so that it need not be fetched again."""
    return (
        known is not None
        and arrival.modified_at is not None
        and known.source_name == arrival.source_name
        and known.size_bytes == arrival.size_bytes
        and known.source_modified_at == arrival.modified_at
        and arrival.modified_at + _SAME_TICK < known.fetched_at
    )


# --- loading ------------------------------------------------------------------------------------------------------


def _deliveries_to_load(connection: psycopg.Connection[Any], contract: Contract, last: Delivery) -> list[Delivery]:
    keys = landed_deliveries(connection, contract.feed)
    found = (Delivery.parse(contract.cadence, key) for key in keys)
    return sorted(one for one in found if one.start <= last.start)


def _work(
    settings: Settings, connection: psycopg.Connection[Any], contract: Contract, delivery: Delivery
) -> Iterator[tuple[list[LandedObject], bool]]:
    """The landed objects of each batch that a delivery still asks for, and whether they are the whole delivery."""
    latest = latest_arrivals(connection, contract.feed, delivery.key)
    arrivals = latest.values()
    done = batches.loaded_object_ids(connection, contract.feed, delivery.key)
    said = _said_parts(settings, contract, latest)
    sent = [one for one in arrivals if one.part != CONTROL_PART and not one.is_replay and not _is_surplus(one, said)]
    yield from _sent_work(connection, contract, delivery, sent, done, is_announced=said is not None)
    for one in _in_order([one for one in arrivals if one.is_replay and one.landed_object_id not in done]):
        yield [one], False


def _sent_work(
    connection: psycopg.Connection[Any],
    contract: Contract,
    delivery: Delivery,
    arrivals: list[LandedObject],
    done: set[int],
    *,
    is_announced: bool,
) -> Iterator[tuple[list[LandedObject], bool]]:
    """As `_work`, of what the department sent by itself; whether a control file says which parts count."""
    originals = [one for one in arrivals if not one.is_correction]
    new = [one for one in arrivals if one.landed_object_id not in done]
    if contract.delivery_kind == "changes":
        # A window that could not be loaded stands in nobody's way once a later one has all of it.
        overtaken = overtaken_windows(connection, contract.feed, delivery.key)
        unloadable = batches.unloadable_object_ids(connection, list(overtaken))
        if wanted := [one for one in new if one.landed_object_id not in unloadable]:
            yield _in_order(wanted), False
        return
    is_new = any(one.landed_object_id not in done for one in originals)
    if not is_new and is_announced and originals:
        # The department took a part back: what remains has been loaded, but not as the whole delivery.
        last = batches.last_original_ids(connection, contract.feed, delivery.key)
        is_new = last != {one.landed_object_id for one in originals}
    if is_new:
        # A part that arrived again is judged with its whole delivery: rows may have moved between the parts.
        yield _in_order([*originals, *(one for one in new if one.is_correction)]), True
    elif new:
        yield _in_order(new), False


def _said_parts(settings: Settings, contract: Contract, latest: Mapping[str, LandedObject]) -> int | None:
    """How many parts the control file announces; None where there is none that can still be read."""
    control = latest.get(CONTROL_PART)
    if contract.completeness.get("kind") != "control_file" or control is None or control.copies_ended_at is not None:
        return None
    with LandingStore(settings.landing_uri).open(control) as file:
        return announced(file.read()).get("parts")


def _is_surplus(one: LandedObject, said_parts: int | None) -> bool:
    """Whether this is a part that the control file no longer announces: of a delivery that was sent in more parts."""
    number = one.part.removeprefix("part")
    return said_parts is not None and not one.is_correction and number.isdigit() and int(number) > said_parts


def _in_order(objects: list[LandedObject]) -> list[LandedObject]:
    return sorted(objects, key=lambda one: one.landed_object_id)


def _load_one(
    settings: Settings,
    connection: psycopg.Connection[Any],
    contract: Contract,
    delivery: Delivery,
    objects: list[LandedObject],
    *,
    is_whole: bool,
    supersedes: Batch | None = None,
) -> int:
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
    parts = [_part(store, one) for one in objects]
    repairs: list[str] = []
    if all(one.is_replay for one in objects):
        # What a batch rule says of a delivery (rows, shares) it does not say of a few repaired rows.
        contract = replace(contract, batch_rules=())
        for one in objects:
            with store.open(one) as file:
                repairs.extend(repaired_tokens(file.read()))
    before = batches.previous_batch(connection, contract.feed, delivery.key, batch_id)
    # A part that the control file took back had arrived before it. Judging again knows nothing of later arrivals.
    latest = latest_arrivals(connection, contract.feed, delivery.key) if is_whole and supersedes is None else {}
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
        is_complete=partial(_is_complete, connection, store, contract, delivery, objects),
        newest_object_id=max([*identifiers, *control]),
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


def _part(store: LandingStore, one: LandedObject) -> Part:
    from threegaps.batch.decode import Part

    return Part(one.landed_object_id, one.source_name, partial(store.open, one), one.is_correction, one.is_replay)


def _previous(
    connection: psycopg.Connection[Any], contract: Contract, before: Batch, *, is_whole: bool
) -> Previous | None:
    """The period before, for the batch rules; changes and corrections have no usual number of rows.

    Columns compare within one version of the contract: a new version is how columns change on purpose.
    """
    from threegaps.batch.judge import Previous

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
            advice="put the former key back, or rebuild the warehouse from landing with the new one.",
        )


def _has_later(connection: psycopg.Connection[Any], contract: Contract, delivery: Delivery) -> bool:
    row = connection.execute(
        "select 1 from ops.batch where feed = %s and status = 'loaded' and is_complete and delivery > %s limit 1",
        [contract.feed, delivery.key],
    ).fetchone()
    return row is not None


def _is_complete(
    connection: psycopg.Connection[Any],
    store: LandingStore,
    contract: Contract,
    delivery: Delivery,
    objects: list[LandedObject],
    received: int,
) -> bool:
    """Whether the contract's sign of a complete delivery is there: its file, its window, or what the control says.

    *received* counts the rows of the batch's original parts. Corrections alone leave a delivery as it was.
    """
    if contract.completeness.get("kind") != "control_file":
        return True
    arrivals = latest_arrivals(connection, contract.feed, delivery.key)
    control = arrivals.get(CONTROL_PART)
    if control is None:
        return False
    with store.open(control) as file:
        said = announced(file.read())
    parts = sum(
        1
        for part, one in arrivals.items()
        if part != CONTROL_PART and not one.is_correction and not _is_surplus(one, said.get("parts"))
    )
    if "parts" not in said:
        raise FeedError(
            "The control file does not say how many parts there are.",
            feed=contract.feed,
            file=control.source_name,
            advice="ask the department for it again; it looks like parts=3 rows=120000.",
        )
    if all(one.is_correction for one in objects):
        return parts >= said["parts"] and batches.is_delivery_complete(connection, contract.feed, delivery.key)
    is_complete = parts >= said["parts"] and received == said.get("rows", received)
    if not is_complete:
        logger.warning(
            "%s %s: %s announces %s; %d parts and %d rows are here.",
            contract.feed,
            delivery,
            control.source_name,
            json.dumps(said),
            parts,
            received,
        )
    return is_complete
