"""Plain texts as values of a column's type: whatever is not plain becomes null, and the type rule speaks about it."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from threegaps.batch.columns import BlockColumn, map_texts
from threegaps.batch.normalise.text_columns import TextColumn
from threegaps.contracts.model import Column
from threegaps.rules.kinds.text_of_type import PLAIN_WORDS

_TIMESTAMP_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f")
_MIDNIGHT = r"[ T]00:00:00(\.0+)?$"


def typed_column(column: Column, texts: TextColumn, words: tuple[str, str] = PLAIN_WORDS) -> BlockColumn:
    """The column as a block holds it.

    Args:
        column: The contract's.
        texts: Its texts, normalised.
        words: For a boolean, those for yes and no.
    """
    dictionary = texts.dictionary
    if column.logical_type == "string":
        values = None if dictionary is None else dictionary.values
        return BlockColumn(column.name, texts.texts, texts.texts, dictionary, values)
    typed, values = map_texts(texts.texts, dictionary, _reader(column, words))
    return BlockColumn(column.name, texts.texts, typed, dictionary, values)


def _reader(column: Column, words: tuple[str, str]) -> Callable[[pl.Series], pl.Series]:
    match column.logical_type:
        case "date":
            return read_dates
        case "timestamp":
            return read_timestamps
        case "boolean":
            return lambda values: read_booleans(values, words)
        case "integer":
            return read_integers
        case _:
            return lambda values: read_numbers(values, *precision(column.sql_type))


def precision(sql_type: str) -> tuple[int, int]:
    """Digits in all and after the point of ``numeric(p,s)``."""
    digits, _, scale = sql_type.removeprefix("numeric(").removesuffix(")").partition(",")
    return int(digits), int(scale)


def read_numbers(values: pl.Series, digits: int, scale: int) -> pl.Series:
    """Decimal numbers with at most *scale* digits after the point that count; anything else becomes null."""
    form = rf"^-?[0-9]{{1,{digits - scale}}}(\.[0-9]{{1,{scale}}}0*)?$"
    return _only(values, values.str.contains(form)).cast(pl.Float64, strict=False)


def read_integers(values: pl.Series) -> pl.Series:
    """Whole numbers within 32 bits; anything else becomes null."""
    return values.str.strip_suffix(".0").cast(pl.Int32, strict=False)


def read_booleans(values: pl.Series, words: tuple[str, str]) -> pl.Series:
    """Yes and no by the words declared for them; anything else becomes null."""
    return values.replace_strict({words[0]: True, words[1]: False}, default=None, return_dtype=pl.Boolean)


def read_dates(values: pl.Series) -> pl.Series:
    """Days of ISO 8601, with a time only if it is midnight; anything else becomes null."""
    days = values.str.replace(_MIDNIGHT, "")
    return _only(days, days.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")).str.to_date("%Y-%m-%d", strict=False)


def read_timestamps(values: pl.Series) -> pl.Series:
    """Wall-clock times ``YYYY-MM-DD HH:MM:SS``; anything else becomes null."""
    read = values.str.to_datetime(_TIMESTAMP_FORMATS[0], time_unit="us", strict=False)
    if read.null_count() > values.null_count():
        read = read.fill_null(values.str.to_datetime(_TIMESTAMP_FORMATS[1], time_unit="us", strict=False))
    return read


def _only(values: pl.Series, fits: pl.Series) -> pl.Series:
    """Null for every value that does not fit."""
    if fits.all():
        return values
    return values.to_frame("value").select(pl.when(fits).then("value").alias(values.name)).to_series()
