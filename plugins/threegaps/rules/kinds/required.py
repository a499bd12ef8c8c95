"""A column must have a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from threegaps.rules.model import AS_TEXT, Arguments, Columns, RuleKind, in_words

if TYPE_CHECKING:
    import polars as pl


class Required(Arguments):
    """The column; a text that is no value of the column's type is not missing."""

    column: Annotated[str, AS_TEXT]


def _unexpected(columns: Columns, of: Required) -> pl.Series:
    return columns[of.column].text.is_null()


KIND = RuleKind(
    "expect_column_values_to_not_be_null",
    Required,
    "completeness",
    in_words("{column}为空", "{column} is missing"),
    _unexpected,
)
