"""A day must not lie more than so many years after another of its row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import NonNegativeInt

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_DAY, Arguments, Columns, RuleKind, in_words
from threegaps.standards.by_value import given

if TYPE_CHECKING:
    import polars as pl


class WithinYears(Arguments):
    """The later day's column, the earlier one's, and the years."""

    column: Annotated[str, AS_DAY]
    other_column: Annotated[str, AS_DAY]
    years: NonNegativeInt


def _unexpected(columns: Columns, of: WithinYears) -> pl.Series:
    later, earlier = columns[of.column].typed, columns[of.other_column].typed
    return _as_number(later) > _as_number(earlier) + 10_000 * of.years


def _as_number(days: pl.Series) -> pl.Series:
    """20250601 for 2025-06-01: years are added without minding the length of months."""
    import polars as pl

    return days.dt.year() * 10_000 + days.dt.month().cast(pl.Int32) * 100 + days.dt.day().cast(pl.Int32)


def _expected(later: Any, earlier: Any, *, years: int) -> bool:
    if not (given(later) and given(earlier)):
        return True
    return (later.year, later.month, later.day) <= (earlier.year + years, earlier.month, earlier.day)


KIND = RuleKind(
    "expect_date_within_years_of",
    WithinYears,
    "accuracy",
    in_words("{column}晚于{other_column}{years}年以上", "{column} is more than {years} years after {other_column}"),
    _unexpected,
    each_row(_expected),
)
