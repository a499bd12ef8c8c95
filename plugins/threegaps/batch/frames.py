"""The frames that Great Expectations judges (`threegaps.rules.frames`), made of what a batch has at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from threegaps.batch.columns import BlockColumn, Mask
from threegaps.rules.model import TEXT, Rule


@dataclass(frozen=True, slots=True)
class JudgedFrame:
    """A frame that has been judged in columns.

    Args:
        rules: The rules on it, all of one scope.
        frame: The frame, before pseudonyms.
        verdicts: By rule id, which of its rows the forms in columns found unexpected.
        tokens: The token of each row; None where the rows are none of the feed's.
    """

    rules: Sequence[Rule]
    frame: pl.DataFrame
    verdicts: Mapping[str, Mask]
    tokens: pl.Series | None


def rows_frame(columns: Mapping[str, BlockColumn]) -> pl.DataFrame:
    """Texts and typed values of a block side by side."""
    series: list[pl.Series] = []
    for name, column in columns.items():
        series.append(column.text.alias(f"{name}{TEXT}"))
        series.append(column.typed.alias(name))
    return pl.DataFrame(series)


def as_columns(frame: pl.DataFrame) -> dict[str, BlockColumn]:
    """The columns of a frame of counters, as the forms in columns read them."""
    return {series.name: BlockColumn(series.name, series.cast(pl.String), series) for series in frame}


def to_pandas(rows: pl.DataFrame) -> Any:
    """The rows in types that Great Expectations compares: texts and days as objects, numbers as floats."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for series in rows:
        if series.dtype == pl.Datetime:
            # Microseconds hold the years 1 to 9999; nanoseconds end in 2262, and a slip of the keyboard does not.
            columns[series.name] = pd.Series(series.cast(pl.Datetime("us")).to_numpy())
        elif series.dtype.is_float():
            columns[series.name] = pd.Series(series.to_numpy(), dtype="float64")
        elif series.dtype.is_integer() and not series.null_count():
            columns[series.name] = pd.Series(series.to_numpy(), dtype="int64")
        elif series.dtype.is_numeric():
            columns[series.name] = pd.Series(series.cast(pl.Float64).to_numpy(), dtype="float64")
        else:
            columns[series.name] = pd.Series(series.to_list(), dtype=object)
    return pd.DataFrame(columns)
