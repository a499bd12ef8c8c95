"""The number of rows must be near that of the period before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, model_validator

from threegaps.rules.conditions import each_row
from threegaps.rules.frames import PREVIOUS_RECEIVED, RECEIVED
from threegaps.rules.model import Arguments, Columns, RuleKind, in_words
from threegaps.standards.by_value import given

if TYPE_CHECKING:
    import polars as pl


class BatchRowCount(Arguments):
    """The least and the largest ratio; nothing is said where neither batch has ``min_rows`` rows."""

    min_ratio: NonNegativeFloat
    max_ratio: PositiveFloat
    min_rows: NonNegativeInt = 0

    @model_validator(mode="after")
    def _leaves_something(self) -> BatchRowCount:
        if self.min_ratio > self.max_ratio:
            raise ValueError(f"min_ratio {self.min_ratio} leaves nothing up to max_ratio {self.max_ratio}")
        return self


def _unexpected(columns: Columns, of: BatchRowCount) -> pl.Series:
    received, previous = columns[RECEIVED].typed, columns[PREVIOUS_RECEIVED].typed
    ratio = received / previous
    has_enough = (received >= of.min_rows) | (previous >= of.min_rows)
    return (previous > 0) & has_enough & ((ratio < of.min_ratio) | (ratio > of.max_ratio))


def _expected(received: Any, previous: Any, *, min_ratio: float, max_ratio: float, min_rows: int) -> bool:
    if not given(previous) or not previous or max(received, previous) < min_rows:
        return True
    return bool(min_ratio <= received / previous <= max_ratio)


KIND = RuleKind(
    "expect_row_count_to_be_near_previous",
    BatchRowCount,
    "completeness",
    in_words("行数与上期相差过大", "the number of rows is far from the period before"),
    _unexpected,
    each_row(_expected),
    scope="batch",
    reads=(RECEIVED, PREVIOUS_RECEIVED),
    action="warn",
)
