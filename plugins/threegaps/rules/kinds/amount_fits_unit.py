"""An amount must be plausible in the unit declared for it: yuan and ten thousand yuan are easily mixed up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_AMOUNT, AS_TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.standards.by_value import given

if TYPE_CHECKING:
    import polars as pl

Bounds = Annotated[tuple[int | float | None, int | float | None], Field(strict=False)]


class AmountFitsUnit(Arguments):
    """The column of amounts in the base unit, that of the units, and the least and the largest amount of each unit."""

    column: Annotated[str, AS_AMOUNT]
    other_column: Annotated[str, AS_TEXT]
    bounds: dict[str, Bounds]

    @field_validator("bounds")
    @classmethod
    def _leave_something(cls, written: dict[str, Bounds]) -> dict[str, Bounds]:
        for unit, (low, high) in written.items():
            if low is not None and high is not None and low > high:
                raise ValueError(f"of {unit} leave nothing: {low} is above {high}")
        return written


def _unexpected(columns: Columns, of: AmountFitsUnit) -> pl.Series:
    import polars as pl

    amounts, units = columns[of.column].typed, columns[of.other_column].text
    wrong = pl.repeat(value=False, n=len(amounts), dtype=pl.Boolean, eager=True)
    for unit, (low, high) in of.bounds.items():
        of_unit = units == unit
        if low is not None:
            wrong |= (of_unit & (amounts > 0) & (amounts < low)).fill_null(value=False)
        if high is not None:
            wrong |= (of_unit & (amounts > high)).fill_null(value=False)
    return wrong


def _expected(amount: Any, unit: Any, *, bounds: Mapping[str, Any]) -> bool:
    if not given(amount) or unit not in bounds:
        return True
    low, high = bounds[unit]
    return (low is None or amount <= 0 or amount >= low) and (high is None or amount <= high)


KIND = RuleKind(
    "expect_amount_to_fit_unit",
    AmountFitsUnit,
    "accuracy",
    in_words("{column}与{other_column}不相称,疑似单位有误", "{column} is not plausible in its unit, {other_column}"),
    _unexpected,
    each_row(_expected),
)
