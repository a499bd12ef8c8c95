"""Two columns must be given together or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.standards.by_value import given

if TYPE_CHECKING:
    import polars as pl


class GivenTogether(Arguments):
    """The two columns."""

    column: Annotated[str, AS_TEXT]
    other_column: Annotated[str, AS_TEXT]


def _unexpected(columns: Columns, of: GivenTogether) -> pl.Series:
    return columns[of.column].text.is_null() != columns[of.other_column].text.is_null()


def _expected(own: Any, other: Any) -> bool:
    return given(own) == given(other)


KIND = RuleKind(
    "expect_columns_to_be_given_together",
    GivenTogether,
    "completeness",
    in_words("{column}与{other_column}只填其一", "only one of {column} and {other_column} is given"),
    _unexpected,
    each_row(_expected),
)
