"""Shares of a batch's rows, in columns and by value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from threegaps.rules.frames import PREVIOUS_RECEIVED, RECEIVED
from threegaps.rules.model import Columns
from threegaps.standards.by_value import given

if TYPE_CHECKING:
    import polars as pl


def share_is_unexpected(columns: Columns, counter: str, *, max_share: float, min_rows: int) -> pl.Series:
    """Whether *counter* is more than *max_share* of the rows received, where there are *min_rows* now or before."""
    received, previous = columns[RECEIVED].typed, columns[PREVIOUS_RECEIVED].typed
    has_enough = (received >= min_rows) | (previous >= min_rows).fill_null(value=False)
    return (received > 0) & has_enough & (columns[counter].typed > max_share * received)


def is_share_expected(counted: Any, received: Any, previous: Any, *, max_share: float, min_rows: int) -> bool:
    """The same of one batch."""
    rows = max(received, previous) if given(previous) else received
    return bool(not received or rows < min_rows or counted <= max_share * received)
