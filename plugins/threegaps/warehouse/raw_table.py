"""A feed's raw table and its history, as the statements of one batch name them.

A row is known by its version, (source update time or correction number, landed object, row number), and by the batch
that says it. A row that was closed because a delivery no longer has it keeps its content, is withdrawn, and has
`CLOSED_ROW_NUMBER` for its row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from threegaps.contracts.model import Contract
from threegaps.contracts.tables import accepted_columns, raw_key
from threegaps.ledger.standing_batches import StandingBatches
from threegaps.ledger.touches import AreaPeriod
from threegaps.warehouse.area_periods import area_periods_in
from threegaps.warehouse.pruning import Pruning
from threegaps.warehouse.tables import names

VERSION_COLUMNS = ("_version", "_landed_object_id", "_row_number")
LINEAGE_COLUMNS = ("_batch_id", *VERSION_COLUMNS)
ROWS = sql.Identifier("load_rows")
"""The temporary table that a batch's rows are copied to before they are merged."""
CLOSED_ROW_NUMBER = 0


class RawTable:
    """The two tables of *contract* for batch *batch_id*; ``touched`` collects what its statements change."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        contract: Contract,
        batch_id: int,
        *,
        supersedes_batch_id: int | None = None,
    ) -> None:
        self.connection = connection
        self.contract = contract
        self.batch_id = batch_id
        self.supersedes_batch_id = supersedes_batch_id
        self.columns = accepted_columns(contract)
        self.key = raw_key(contract)
        self.raw = sql.Identifier("raw", contract.table)
        self.history = sql.Identifier("raw_history", contract.table)
        self.pruning = Pruning(connection, contract, batch_id)
        self.touched: set[AreaPeriod] = set()

    def run(self, text: str, **named: sql.Composable) -> psycopg.Cursor[Any]:
        """Execute *text* with the tables', the key's and the columns' names filled in, besides those *named*."""
        known = {
            "raw": self.raw,
            "history": self.history,
            "rows": ROWS,
            "key": names(self.key),
            "columns": names(self.columns),
            "batch": sql.Literal(self.batch_id),
        }
        return self.connection.execute(sql.SQL(text).format(**{**known, **named}))

    def note_touched(self, table: sql.Identifier, condition: sql.Composable) -> None:
        """Note what the rows of *table*, called ``b``, under *condition* speak of."""
        self.touched.update(area_periods_in(self.connection, self.contract, table, condition))

    def qualified(self, alias: str, columns: Iterable[str]) -> sql.Composed:
        """The columns of *alias*, joined by commas."""
        return sql.SQL(", ").join(sql.Identifier(alias, column) for column in columns)

    def version(self, alias: str) -> sql.Composed:
        """The version of a row of *alias*, to be compared with others."""
        return sql.SQL("row({})").format(self.qualified(alias, VERSION_COLUMNS))

    def same_key(self, left: str, right: str) -> sql.Composed:
        """The condition that rows of both aliases have the same key."""
        return sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier(left, column), sql.Identifier(right, column))
            for column in self.key
        )

    def is_loaded(self, alias: str) -> sql.Composable:
        """The condition that a row of *alias* comes from a batch that counts, this one among them."""
        return sql.SQL(
            "{}._batch_id in (select batch_id from ops.batch where feed = {} and (status = 'loaded' or batch_id = {})"
            " and batch_id is distinct from {}::bigint)"
        ).format(
            sql.Identifier(alias),
            sql.Literal(self.contract.feed),
            sql.Literal(self.batch_id),
            sql.Literal(self.supersedes_batch_id),
        )

    @staticmethod
    def is_replaced(alias: str, standing: StandingBatches) -> sql.Composable:
        """The condition that a whole delivery has replaced what a row of *alias* says."""
        if not standing.replaced:
            return sql.SQL("false")
        return sql.SQL("({0}._batch_id = any({1}) and {0}._landed_object_id <> all({2}))").format(
            sql.Identifier(alias), sql.Literal(list(standing.replaced)), _numbers(standing.exempt)
        )

    @staticmethod
    def is_closed(alias: str) -> sql.Composable:
        """The condition that a delivery closed a row of *alias* by not having it."""
        return sql.SQL("{}._row_number = {}").format(sql.Identifier(alias), sql.Literal(CLOSED_ROW_NUMBER))


def _numbers(values: Iterable[int]) -> sql.Composable:
    return sql.SQL("{}::bigint[]").format(sql.Literal(list(values)))
