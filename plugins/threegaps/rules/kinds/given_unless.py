"""A column must be given, and must be empty where another has certain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_TEXT, AS_TYPED, Arguments, Columns, RuleKind, Values, ValuesOf, in_words
from threegaps.standards.by_value import given

if TYPE_CHECKING:
    import polars as pl


class GivenUnless(Arguments):
    """The column, the other one, and the values of it that allow none."""

    column: Annotated[str, AS_TEXT]
    where_column: Annotated[str, AS_TYPED]
    where_values: Annotated[Values, Field(strict=False, min_length=1), ValuesOf("where_column")]


def _unexpected(columns: Columns, of: GivenUnless) -> pl.Series:
    unless = columns[of.where_column].typed.is_in(list(of.where_values))
    return unless == columns[of.column].text.is_not_null()


def _expected(own: Any, other: Any, *, where_values: Sequence[Any]) -> bool:
    return not given(other) or given(own) != (other in where_values)


KIND = RuleKind(
    "expect_column_to_be_given_unless",
    GivenUnless,
    "completeness",
    in_words("{column}与{where_column}不符(应填而未填,或不应填)", "{column} is missing, or is not to be given"),
    _unexpected,
    each_row(_expected),
)
