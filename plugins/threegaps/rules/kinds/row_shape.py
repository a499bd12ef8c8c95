"""A line must have as many fields as its header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threegaps.rules.conditions import each_row
from threegaps.rules.frames import DECLARED_FIELDS, FIELDS
from threegaps.rules.model import Arguments, Columns, RuleKind, in_words

if TYPE_CHECKING:
    import polars as pl


class RowShape(Arguments):
    """Nothing to say: a line is judged by itself."""


def _unexpected(columns: Columns, of: RowShape) -> pl.Series:
    del of
    return columns[FIELDS].typed != columns[DECLARED_FIELDS].typed


def _expected(fields: int, declared: int) -> bool:
    return fields == declared


KIND = RuleKind(
    "expect_row_to_have_declared_fields",
    RowShape,
    "conformity",
    in_words("字段数与表头不符", "the row does not have as many fields as its header"),
    _unexpected,
    each_row(_expected),
    scope="line",
    reads=(FIELDS, DECLARED_FIELDS),
    must_refuse=True,
)
