"""Taking a department's repairs in: laid over the refused rows, landed, and judged again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from threegaps.calendar import Delivery, in_order
from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError
from threegaps.feed_run import loading
from threegaps.feed_run.attempting import attempt
from threegaps.feed_run.landed_texts import landed_texts
from threegaps.feed_run.opening import warehouse_of
from threegaps.landing.store import LandingStore
from threegaps.ledger import batches
from threegaps.ledger.landed import REPLAY_PREFIX, LandedObject, landed_objects
from threegaps.settings import Settings
from threegaps.standards.identity_in_text import MASK
from threegaps.warehouse.quarantine import RefusedRow, refused_by_token
from threegaps.warehouse.repairs import (
    Repair,
    is_same_row,
    is_touched,
    is_where_it_says,
    laid_over,
    masked_columns,
    read_repairs,
    repairs_file,
)
from threegaps.warehouse.sessions import feed_lock


@dataclass(frozen=True, slots=True)
class LeftAside:
    """Rows of a file that were not taken in: nothing was loaded of the batch that refused them.

    Args:
        batch_id: The stopped batch.
        delivery: Its delivery, which the department sends again.
        rows: How many rows.
    """

    batch_id: int
    delivery: str
    rows: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a department's repairs.

    Args:
        batch_id: The last batch that they made.
        batch_ids: All of them, one a delivery that rows were mended of.
        untouched: Rows of the file that nobody changed: they wait as before.
        left_aside: Rows that cannot be mended, by batch.
    """

    batch_id: int
    batch_ids: tuple[int, ...]
    accepted: int
    refused: int
    duplicates: int
    untouched: int
    left_aside: tuple[LeftAside, ...] = ()


def replay(feed: str, path: Path) -> Replayed:
    """Lay a department's repairs over its refused rows and judge them again, in a batch of their own a delivery.

    A repair ends the refusal that it mends, once: the row is accepted, or refused anew for what is still wrong. Rows of
    a stopped batch are left aside: nothing of it was loaded that they could mend.

    Args:
        path: The exported file as it came back, ``.csv`` in UTF-8 or ``.xlsx``.

    Raises:
        FeedError: The file is no exported one, names a row that was never refused, has a token that stands for another
            row than its own or does so now, or has nothing left to mend.
    """
    settings = Settings.load()
    contract = find_contract(settings.contracts_folder, feed)
    repairs = read_repairs(contract, path)
    store = LandingStore(settings.landing_uri)
    made: list[int] = []
    with warehouse_of(settings, feed) as connection, feed_lock(connection, feed, step="load"):
        refused, left_aside = _refused_rows(connection, contract, path.name, repairs)
        of_loaded = [repair for repair in repairs if repair.row_token in refused]
        waiting = [repair for repair in of_loaded if refused[repair.row_token].closed_by_batch_id is None]
        touched = [repair for repair in waiting if is_touched(repair, refused[repair.row_token].row_data)]
        if not touched:
            raise _nothing_to_replay(connection, feed, path.name, list(refused.values()), left_aside)
        texts = _landed_texts(connection, store, contract, path.name, touched, refused)
        for key in in_order({refused[repair.row_token].delivery for repair in touched}):
            chosen = [repair for repair in touched if refused[repair.row_token].delivery == key]
            delivery = Delivery.of_key(key)
            with attempt(settings, connection, feed, "load", key):
                landed = _land_repairs(connection, store, contract, key, chosen, refused, texts)
                made.append(loading.load_one(settings, connection, contract, delivery, [landed], is_whole=False))
        done = [batches.get_batch(connection, batch_id) for batch_id in made]
    return Replayed(
        batch_id=made[-1],
        batch_ids=tuple(made),
        accepted=sum(batch.accepted or 0 for batch in done),
        refused=sum(batch.refused or 0 for batch in done),
        duplicates=sum(batch.duplicates or 0 for batch in done),
        untouched=len(waiting) - len(touched),
        left_aside=left_aside,
    )


def _refused_rows(
    connection: psycopg.Connection[Any], contract: Contract, file_name: str, repairs: list[Repair]
) -> tuple[dict[str, RefusedRow], tuple[LeftAside, ...]]:
    """The newest refusal of each row of the file by a loaded batch, by token; and what no such batch has refused."""
    tokens = [repair.row_token for repair in repairs]
    by_token = refused_by_token(connection, contract.feed, tokens, ("loaded", "superseded"))
    of_stopped = refused_by_token(connection, contract.feed, tokens, ("stopped",))
    newest: dict[str, RefusedRow] = {}
    left_aside: Counter[tuple[int, str]] = Counter()
    for repair in repairs:
        rows = by_token.get(repair.row_token, ())
        every = (*rows, *of_stopped.get(repair.row_token, ()))
        sent_out = next((row for row in every if row.batch_id == repair.batch_id), None)
        if sent_out is None:
            raise FeedError(
                "No row was refused under the row's token by the batch that stands beside it.",
                feed=contract.feed,
                file=file_name,
                row=repair.row_number,
                advice="send back rows of this feed's export, with their tokens and batches.",
            )
        if not is_where_it_says(repair, sent_out):
            raise FeedError(
                f"Token {repair.row_token} was sent out for row {sent_out.row_number} of {sent_out.source_name}, and"
                " the row says that it is another one.",
                feed=contract.feed,
                file=file_name,
                row=repair.row_number,
                advice="look whether cells were sorted or moved without the rest of their rows: nothing was taken in;"
                f" export the rows again (`threegaps quarantine export {contract.feed} refused.xlsx`), and mend them"
                " there.",
            )
        if not rows:
            left_aside[sent_out.batch_id, sent_out.delivery] += 1
            continue
        if rows[0] is not sent_out and not is_same_row(contract, sent_out.row_data, rows[0].row_data):
            raise FeedError(
                f"Token {repair.row_token} was sent out for a row that batch {sent_out.batch_id} refused; since it was"
                f" judged again by batch {rows[0].batch_id}, the token may stand for another row.",
                feed=contract.feed,
                file=file_name,
                row=repair.row_number,
                advice=f"export the rows again (`threegaps quarantine export {contract.feed} refused.xlsx`), and mend"
                " them there.",
            )
        newest[repair.row_token] = rows[0]
    return newest, tuple(LeftAside(*batch, rows) for batch, rows in sorted(left_aside.items()))


def _nothing_to_replay(
    connection: psycopg.Connection[Any],
    feed: str,
    file_name: str,
    refused: list[RefusedRow],
    left_aside: tuple[LeftAside, ...],
) -> FeedError:
    """Says what became of the rows of a file that came back: a repair that was wrong is refused under a new token."""
    closed = [row.closed_by_batch_id for row in refused if row.closed_by_batch_id is not None]
    anew = connection.execute(
        "select batch_id, count(*) from quarantine.refused_row where batch_id = any(%s) and closed_by_batch_id is null"
        " group by batch_id order by batch_id",
        [closed],
    ).fetchall()
    message = (
        f"The file has nothing to replay: {len(closed)} rows were taken in before,"
        f" {len(refused) - len(closed)} are as they were."
    )
    if left_aside and not anew:
        batches_of = ", ".join(f"batch {one.batch_id} ({one.delivery}): {one.rows}" for one in left_aside)
        return FeedError(
            f"{message} Of the rest nothing was loaded, since a rule stopped it: {batches_of}.",
            feed=feed,
            file=file_name,
            advice="have the department send those deliveries again.",
        )
    if not anew:
        return FeedError(message, feed=feed, file=file_name, advice="change the cells that the reasons name.")
    refusals = ", ".join(f"batch {batch_id} refused {count}" for batch_id, count in anew)
    return FeedError(
        f"{message} Of those taken in, {refusals} anew, under tokens of their own.",
        feed=feed,
        file=file_name,
        advice=f"export them: `threegaps quarantine export {feed} refused.xlsx --batch {anew[-1][0]}`.",
    )


def _landed_texts(
    connection: psycopg.Connection[Any],
    store: LandingStore,
    contract: Contract,
    file_name: str,
    repairs: list[Repair],
    refused: dict[str, RefusedRow],
) -> dict[str, dict[str, str | None]]:
    """What had landed of the rows of which something was not sent out as it is, by token; all of them, or none."""
    texts: dict[str, dict[str, str | None]] = {}
    kept = [repair for repair in repairs if masked_columns(repair, refused[repair.row_token].row_data)]
    for identifier in sorted({refused[repair.row_token].landed_object_id for repair in kept}):
        (landed,) = landed_objects(connection, [identifier])
        rows_of_part = [refused[repair.row_token] for repair in kept]
        wanted = {row.row_number: row for row in rows_of_part if row.landed_object_id == identifier}
        texts.update(landed_texts(contract, loading.part_of(store, contract, landed), wanted))
    for lost in (repair for repair in kept if repair.row_token not in texts):
        raise FeedError(
            f"What had landed of the row with token {lost.row_token} is not certain: by the contract of now no row"
            " under the token has the texts that were refused.",
            feed=contract.feed,
            file=file_name,
            row=lost.row_number,
            advice=f"write the row's document number, and texts with {MASK} whole, into the file; or judge batch"
            f" {refused[lost.row_token].batch_id} again, and export the rows anew.",
        )
    return texts


def _land_repairs(
    connection: psycopg.Connection[Any],
    store: LandingStore,
    contract: Contract,
    delivery: str,
    repairs: list[Repair],
    refused: dict[str, RefusedRow],
    texts: dict[str, dict[str, str | None]],
) -> LandedObject:
    """Land repaired rows as a part of their own; what was not sent out as it is comes from *texts*, what had landed."""
    rows = [
        (repair, laid_over(contract, repair, refused[repair.row_token].row_data, texts.get(repair.row_token, {})))
        for repair in repairs
    ]
    return store.land_own(connection, contract.feed, delivery, REPLAY_PREFIX, repairs_file(rows), suffix=".jsonl")
