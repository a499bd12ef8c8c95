"""Judged rows to the server by COPY, while the next block is being judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import IO, Any, Protocol, cast

import psycopg
from psycopg import sql

from threegaps.batch.verdict import JudgedBlock, Verdict
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import QUARANTINE_COLUMNS, accepted_columns, raw_key
from threegaps.errors import LedgerError
from threegaps.warehouse.prefetch import prefetched
from threegaps.warehouse.tables import names

_REMOVED = sql.Identifier("load_removed")


class Judgement(Protocol):
    """What a load needs of a judgement; `threegaps.batch.judge` has the one that feeds use."""

    def blocks(self) -> Iterator[JudgedBlock]: ...

    def finish(self) -> Verdict: ...


def copy_accepted(
    connection: psycopg.Connection[Any],
    contract: Contract,
    batch_id: int,
    judgement: Judgement,
    *,
    target: sql.Identifier,
    refused: IO[bytes],
) -> Verdict:
    """Copy the accepted rows of a judgement to *target* and write the refused ones to *refused*; its verdict.

    Raises:
        LedgerError: A row that does not stay after all was not found in *target*.
    """
    command = sql.SQL("copy {} ({}) from stdin (format csv)").format(target, names(accepted_columns(contract)))
    with closing(cast(Any, prefetched(judgement.blocks()))) as blocks:
        for block in blocks:
            if block.removed:
                _remove(connection, contract, batch_id, target, block)
            if block.accepted:
                with connection.cursor() as cursor, cursor.copy(command) as copy:
                    copy.write(block.accepted)
            refused.write(block.refused)
    return judgement.finish()


def copy_refused(connection: psycopg.Connection[Any], refused: IO[bytes]) -> None:
    """Copy the refused rows that have been written to *refused* to quarantine."""
    refused.seek(0)
    command = sql.SQL("copy quarantine.refused_row ({}) from stdin (format csv)").format(names(QUARANTINE_COLUMNS))
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        while chunk := refused.read(1 << 20):
            copy.write(chunk)


def _remove(
    connection: psycopg.Connection[Any], contract: Contract, batch_id: int, target: sql.Identifier, block: JudgedBlock
) -> None:
    """Take away rows of this batch that do not stay after all."""
    columns = names(accepted_columns(contract))
    connection.execute(
        sql.SQL("create temporary table {} (like {} including defaults) on commit drop").format(_REMOVED, target)
    )
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("copy {} ({}) from stdin (format csv)").format(_REMOVED, columns)) as copy,
    ):
        copy.write(block.removed)
    connection.execute(sql.SQL("analyze {}").format(_REMOVED))
    same_key = sql.SQL(" and ").join(
        sql.SQL("t.{0} = r.{0}").format(sql.Identifier(column)) for column in raw_key(contract)
    )
    gone = connection.execute(
        sql.SQL("delete from {} as t using {} as r where {} and t._batch_id = {}").format(
            target, _REMOVED, same_key, sql.Literal(batch_id)
        )
    ).rowcount
    connection.execute(sql.SQL("drop table {}").format(_REMOVED))
    if gone != block.removed_rows:
        raise LedgerError(
            f"{block.removed_rows} rows of batch {batch_id} do not stay, and {gone} of them were found.",
            feed=contract.feed,
            cause="unexpected",
            advice="this is a fault of the pipeline, not of the data: report it with the batch's number.",
        )
