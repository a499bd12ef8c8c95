"""A value must be one of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from threegaps.rules.model import AS_TYPED, Arguments, Columns, RuleKind, Values, ValuesOf, in_words

if TYPE_CHECKING:
    import polars as pl


class InSet(Arguments):
    """The column, and the values that it may have."""

    column: Annotated[str, AS_TYPED]
    value_set: Annotated[Values, Field(strict=False, min_length=1), ValuesOf("column")]


def _unexpected(columns: Columns, of: InSet) -> pl.Series:
    return ~columns[of.column].typed.is_in(list(of.value_set))


KIND = RuleKind(
    "expect_column_values_to_be_in_set",
    InSet,
    "conformity",
    in_words("{column}不在代码表内", "{column} is not in its code list"),
    _unexpected,
)
