"""Conditions for Great Expectations made of a judgement of one row or one value in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def each_row(expected: Callable[..., bool]) -> Callable[..., Any]:
    """*expected* of every row's cells, in the frame's order of columns, and of the arguments by name."""

    def condition(frame: Any, **others: Any) -> Any:
        import pandas as pd

        cells = (frame.iloc[:, index] for index in range(frame.shape[1]))
        verdicts = [bool(expected(*row, **others)) for row in zip(*cells, strict=True)]
        return pd.Series(verdicts, index=frame.index, dtype=bool)

    return condition


def each_value(expected: Callable[..., bool]) -> Callable[..., Any]:
    """*expected* of every value of a column that is not missing, and of the arguments by name."""

    def condition(column: Any, **others: Any) -> Any:
        return column.map(lambda value: bool(expected(value, **others))).astype(bool)

    return condition
