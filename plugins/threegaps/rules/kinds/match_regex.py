"""A text must have a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from threegaps.rules.model import AS_TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.rules.regular_expressions import ColumnExpression

if TYPE_CHECKING:
    import polars as pl


class MatchRegex(Arguments):
    """The column, and a regular expression that both engines read in the same way."""

    column: Annotated[str, AS_TEXT]
    regex: ColumnExpression


def _unexpected(columns: Columns, of: MatchRegex) -> pl.Series:
    return ~columns[of.column].text.str.contains(of.regex)


KIND = RuleKind(
    "expect_column_values_to_match_regex",
    MatchRegex,
    "conformity",
    in_words("{column}格式不符", "{column} does not have the form {regex}"),
    _unexpected,
)
