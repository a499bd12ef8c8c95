"""An update time must lie where windows of changes can hold it: not before the first, and not beyond the delivery."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import field_validator

from threegaps.rules.conditions import each_value
from threegaps.rules.model import Arguments, Columns, Reads, RuleKind, in_words

if TYPE_CHECKING:
    import polars as pl

_TIME = Reads("typed", frozenset({"timestamp"}))


class UpdateTimeReach(Arguments):
    """The column, the first instant, and the one that it must lie before (Shanghai's clock); open until a delivery."""

    column: Annotated[str, _TIME]
    min_value: str
    max_value: str | None = None

    @field_validator("min_value", "max_value")
    @classmethod
    def _is_an_instant(cls, written: str | None) -> str | None:
        if written is not None:
            dt.datetime.fromisoformat(written)
        return written


def _unexpected(columns: Columns, of: UpdateTimeReach) -> pl.Series:
    times = columns[of.column].typed
    unexpected = times < dt.datetime.fromisoformat(of.min_value)
    return unexpected if of.max_value is None else unexpected | (times >= dt.datetime.fromisoformat(of.max_value))


def _expected(value: Any, *, min_value: str, max_value: str | None = None) -> bool:
    if value < dt.datetime.fromisoformat(min_value):
        return False
    return max_value is None or bool(value < dt.datetime.fromisoformat(max_value))


KIND = RuleKind(
    "expect_update_time_to_be_in_reach",
    UpdateTimeReach,
    "timeliness",
    in_words(
        "{column}早于约定的起始时间,或晚于本次交付",
        "{column} is before the first window, or after the delivery: no window of changes can hold it",
    ),
    _unexpected,
    each_value(_expected),
    must_refuse=True,
)
