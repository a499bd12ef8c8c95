"""A column must be given where an amount is negative, and must be empty where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_AMOUNT, AS_TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.standards.by_value import given

if TYPE_CHECKING:
    import polars as pl


class GivenWhereNegative(Arguments):
    """The column, and the amount; a row without a readable amount is not judged."""

    column: Annotated[str, AS_TEXT]
    amount_column: Annotated[str, AS_AMOUNT]


def _unexpected(columns: Columns, of: GivenWhereNegative) -> pl.Series:
    return (columns[of.amount_column].typed < 0) == columns[of.column].text.is_null()


def _expected(own: Any, amount: Any) -> bool:
    return not given(amount) or given(own) == (amount < 0)


KIND = RuleKind(
    "expect_column_to_be_given_where_negative",
    GivenWhereNegative,
    "consistency",
    in_words(
        "{amount_column}为负时须填{column},否则不得填",
        "{column} is missing where {amount_column} is negative, or is given where it is not",
    ),
    _unexpected,
    each_row(_expected),
)
