"""A value must lie between bounds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import model_validator

from threegaps.rules.model import Arguments, Columns, Labels, Reads, RuleKind

if TYPE_CHECKING:
    import polars as pl

_BOUNDED = Reads("typed", frozenset({"date", "number", "integer"}))


class Between(Arguments):
    """The column and its bounds, days as YYYY-MM-DD; ``strict`` ones are outside themselves."""

    column: Annotated[str, _BOUNDED]
    min_value: int | float | str | None = None
    max_value: int | float | str | None = None
    strict_min: bool | None = None
    strict_max: bool | None = None

    @model_validator(mode="after")
    def _has_bounds(self) -> Between:
        bounds = [bound for bound in (self.min_value, self.max_value) if bound is not None]
        if not bounds:
            raise ValueError("has neither min_value nor max_value")
        if len({isinstance(bound, str) for bound in bounds}) > 1:
            raise ValueError("has a day for one bound and a number for the other")
        low, high = _bound(self.min_value), _bound(self.max_value)
        is_strict = self.strict_min or self.strict_max
        if low is not None and high is not None and (low > high or (low == high and is_strict)):
            raise ValueError(f"min_value {self.min_value} leaves nothing up to max_value {self.max_value}")
        return self


def outside(value: Any, of: Between) -> Iterator[Any]:
    """Whether a value, or each of a series, lies outside: once for each bound that there is."""
    low, high = _bound(of.min_value), _bound(of.max_value)
    if low is not None:
        yield value <= low if of.strict_min else value < low
    if high is not None:
        yield value >= high if of.strict_max else value > high


def _unexpected(columns: Columns, of: Between) -> pl.Series:
    import polars as pl

    values = columns[of.column].typed
    unexpected = pl.repeat(value=False, n=len(values), dtype=pl.Boolean, eager=True)
    for is_outside in outside(values, of):
        unexpected |= is_outside
    return unexpected


def _bound(value: Any) -> Any:
    return dt.date.fromisoformat(value) if isinstance(value, str) else value


def _message(of: Between, labels: Labels) -> tuple[str, str]:
    label = labels.get(of.column, of.column)
    if of.min_value is not None and of.max_value is not None and not of.strict_min and not of.strict_max:
        within = f"{of.min_value}至{of.max_value}"
        return f"{label}应在{within}之间", f"{of.column} is not within {of.min_value} and {of.max_value}"
    zh, en = zip(*sides_of(of), strict=True)
    return f"{label}应{'且'.join(zh)}", f"{of.column} is not {' and '.join(en)}"


def sides_of(of: Between) -> Iterator[tuple[str, str]]:
    """Each of the bounds in Chinese and in English."""
    if of.min_value is not None:
        yield (f"大于{of.min_value}", f"above {of.min_value}") if of.strict_min else (
            f"不小于{of.min_value}", f"at least {of.min_value}",
        )  # fmt: skip
    if of.max_value is not None:
        yield (f"小于{of.max_value}", f"below {of.max_value}") if of.strict_max else (
            f"不大于{of.max_value}", f"at most {of.max_value}",
        )  # fmt: skip


KIND = RuleKind("expect_column_values_to_be_between", Between, "accuracy", _message, _unexpected)
