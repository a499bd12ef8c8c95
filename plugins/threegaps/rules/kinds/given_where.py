"""A column must be given where another has certain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_TEXT, AS_TYPED, Arguments, Columns, RuleKind, Values, ValuesOf, in_words
from threegaps.standards.by_value import given

if TYPE_CHECKING:
    import polars as pl


class GivenWhere(Arguments):
    """The column, the other one, and the values of it that ask for one."""

    column: Annotated[str, AS_TEXT]
    where_column: Annotated[str, AS_TYPED]
    where_values: Annotated[Values, Field(strict=False, min_length=1), ValuesOf("where_column")]


def _unexpected(columns: Columns, of: GivenWhere) -> pl.Series:
    where = columns[of.where_column].typed.is_in(list(of.where_values))
    return where & columns[of.column].text.is_null()


def _expected(own: Any, other: Any, *, where_values: Sequence[Any]) -> bool:
    return given(own) or not (given(other) and other in where_values)


KIND = RuleKind(
    "expect_column_to_be_given_where",
    GivenWhere,
    "completeness",
    in_words("按{where_column}应填{column}", "{column} is missing where {where_column} asks for it"),
    _unexpected,
    each_row(_expected),
)
