"""Rows as the raw table holds them: canonical columns with the person pseudonymised, then system columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from threegaps.batch.columns import BlockColumn
from threegaps.batch.decode import TextBlock
from threegaps.batch.persons import Persons
from threegaps.batch.uniqueness import Versions
from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import PERSON_COLUMN

_SHANGHAI_OFFSET_MICROSECONDS = 8 * 3600 * 1_000_000


def row_versions(contract: Contract, delivery: str, columns: Mapping[str, BlockColumn]) -> Versions:
    """Each row's update time in epoch microseconds, or correction number, or its list's last day; else 0."""
    name = contract.version_column
    if name is None:
        is_list = contract.delivery_kind == "full_list"
        version = Delivery.of_key(delivery).version if is_list else 0
        return np.full(len(next(iter(columns.values())).text), version, dtype=np.int64)
    typed = columns[name].typed
    if typed.dtype == pl.Datetime:
        return (typed.dt.epoch("us") - _SHANGHAI_OFFSET_MICROSECONDS).fill_null(0).to_numpy()
    return typed.cast(pl.Int64).fill_null(0).to_numpy()


def accepted_frame(
    contract: Contract,
    batch_id: int,
    block: TextBlock,
    columns: Mapping[str, BlockColumn],
    persons: Persons | None,
    versions: Versions,
) -> pl.DataFrame:
    """All rows of a block in the order of :func:`threegaps.contracts.tables.accepted_columns`.

    Args:
        contract: The feed's contract.
        batch_id: The batch's id in the ledger.
        block: The block as text.
        columns: Its columns, normalised and typed.
        persons: The persons of its rows; None where the contract's rows speak of none.
        versions: See :func:`row_versions`.
    """
    rows = block.frame.height
    series: list[pl.Series] = []
    for column in contract.stored_columns:
        if column.name == PERSON_COLUMN and persons is not None:
            series.append(persons.pseudonyms)
        else:
            series.append(_as_written(columns[column.name], column.logical_type).alias(column.name))
    if persons is not None:
        series.extend(persons.birth_years_and_sexes())
    series.extend(
        [
            pl.repeat(batch_id, rows, eager=True).alias("_batch_id"),
            pl.repeat(block.part.landed_object_id, rows, eager=True).alias("_landed_object_id"),
            block.row_numbers.alias("_row_number"),
            pl.Series("_version", versions),
            _is_withdrawn(contract, columns, rows).alias("_withdrawn"),
        ]
    )
    return pl.DataFrame(series)


def _is_withdrawn(contract: Contract, columns: Mapping[str, BlockColumn], rows: int) -> pl.Series:
    withdrawal = contract.withdrawal
    if withdrawal is None:
        return pl.repeat(value=False, n=rows, dtype=pl.Boolean, eager=True)
    return (columns[withdrawal.column].text == withdrawal.value).fill_null(value=False)


def _as_written(column: BlockColumn, logical_type: str) -> pl.Series:
    """The column as COPY reads it: a text or a number as it was written, anything else in the standard form."""
    if logical_type in {"string", "number"}:
        return column.text
    if logical_type == "timestamp":
        return column.typed.dt.to_string("%Y-%m-%d %H:%M:%S%.6f+08:00")
    return column.typed
