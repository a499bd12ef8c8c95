"""Everything of a row must have been there to be read: what could not be had is not empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from threegaps.rules.conditions import each_value
from threegaps.rules.frames import FAULTS
from threegaps.rules.model import Arguments, Columns, RuleKind, in_words

if TYPE_CHECKING:
    import polars as pl


class RowReadable(Arguments):
    """Nothing to say: its reader says what could not be had, and where."""


def _unexpected(columns: Columns, of: RowReadable) -> pl.Series:
    del of
    return columns[FAULTS].typed > 0


def _expected(faults: Any) -> bool:
    return not faults


KIND = RuleKind(
    "expect_row_to_be_readable",
    RowReadable,
    "completeness",
    in_words("行中有无法读取的内容", "something of the row could not be had"),
    _unexpected,
    each_value(_expected),
    scope="line",
    reads=(FAULTS,),
    must_refuse=True,
)
