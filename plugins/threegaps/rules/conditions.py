"""Conditions for Great Expectations made of a judgement of one row or one value in plain Python.

Most columns of a feed hold few different values: each different value or row is judged once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def each_row(expected: Callable[..., bool]) -> Callable[..., Any]:
    """*expected* of every row's cells, in the frame's order of columns, and of the arguments by name."""

    def condition(frame: Any, **others: Any) -> Any:
        rows = list(zip(*(frame.iloc[:, index].tolist() for index in range(frame.shape[1])), strict=True))
        verdicts = {row: bool(expected(*row, **others)) for row in set(rows)}
        return _series([verdicts[row] for row in rows], frame.index)

    return condition


def each_value(expected: Callable[..., bool]) -> Callable[..., Any]:
    """*expected* of every value of a column that is not missing, and of the arguments by name."""

    def condition(column: Any, **others: Any) -> Any:
        values = column.tolist()
        verdicts = {value: bool(expected(value, **others)) for value in set(values)}
        return _series([verdicts[value] for value in values], column.index)

    return condition


def _series(verdicts: list[bool], index: Any) -> Any:
    import pandas as pd

    return pd.Series(verdicts, index=index, dtype=bool)
