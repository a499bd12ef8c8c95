"""One value must lie above another of its row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from threegaps.rules.model import AS_ORDERED, Arguments, Columns, RuleKind, in_words

if TYPE_CHECKING:
    import polars as pl


class PairOrder(Arguments):
    """The larger or later column, and the other; where either is missing there is nothing to judge."""

    column_A: Annotated[str, AS_ORDERED]  # noqa: N815  # Great Expectations' names
    column_B: Annotated[str, AS_ORDERED]  # noqa: N815
    or_equal: bool | None = None
    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"


def _unexpected(columns: Columns, of: PairOrder) -> pl.Series:
    first, second = columns[of.column_A].typed, columns[of.column_B].typed
    return first < second if of.or_equal else first <= second


KIND = RuleKind(
    "expect_column_pair_values_a_to_be_greater_than_b",
    PairOrder,
    "consistency",
    in_words("{column_A}早于或小于{column_B}", "{column_A} is before or below {column_B}"),
    _unexpected,
)
