"""Judging rows one at a time, for the conditions of this package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd


def given(value: Any) -> bool:
    """Whether a cell holds something: not None, NaN or NaT."""
    return value is not None and value == value and value is not pd.NaT  # NaN differs from itself


def each_row(frame: pd.DataFrame, verdict: Callable[..., bool]) -> pd.Series:
    """*verdict* (True where the row is as expected) of every row's cells, in the frame's order of columns."""
    cells = (frame.iloc[:, index] for index in range(frame.shape[1]))
    return pd.Series([verdict(*row) for row in zip(*cells, strict=True)], index=frame.index, dtype=bool)
