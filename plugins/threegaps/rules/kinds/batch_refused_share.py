"""Not too large a share of the rows must be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, NonNegativeInt

from threegaps.rules.conditions import each_row
from threegaps.rules.frames import PREVIOUS_RECEIVED, RECEIVED, REFUSED
from threegaps.rules.model import Arguments, Columns, RuleKind, in_words
from threegaps.rules.shares import is_share_expected, share_is_unexpected

if TYPE_CHECKING:
    import polars as pl


class BatchRefusedShare(Arguments):
    """The largest share; nothing is said where neither this batch nor the one before has ``min_rows`` rows."""

    max_share: Annotated[float, Field(ge=0, le=1)]
    min_rows: NonNegativeInt = 0


def _unexpected(columns: Columns, of: BatchRefusedShare) -> pl.Series:
    return share_is_unexpected(columns, REFUSED, max_share=of.max_share, min_rows=of.min_rows)


KIND = RuleKind(
    "expect_refused_share_to_be_below",
    BatchRefusedShare,
    "accuracy",
    in_words("拒收行占比过高", "too large a share of the rows is refused"),
    _unexpected,
    each_row(is_share_expected),
    scope="batch",
    reads=(REFUSED, RECEIVED, PREVIOUS_RECEIVED),
    action="stop",
)
