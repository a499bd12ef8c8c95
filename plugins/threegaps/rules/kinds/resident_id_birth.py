"""Nobody is born after the day that a row speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_DAY, AS_TEXT, Arguments, Columns, Labels, RuleKind
from threegaps.standards.by_value import birth_in, given

if TYPE_CHECKING:
    import polars as pl


class ResidentIdBirth(Arguments):
    """The columns of document numbers and of their kinds; of the days, the first that has a value counts."""

    column: Annotated[str, AS_TEXT]
    other_column: Annotated[str, AS_TEXT]
    date_columns: Annotated[tuple[str, ...], Field(strict=False, min_length=1), AS_DAY]


def _unexpected(columns: Columns, of: ResidentIdBirth) -> pl.Series:
    import polars as pl

    from threegaps.standards.identifiers import RESIDENT_CARD

    days = pl.select(pl.coalesce([columns[name].typed for name in of.date_columns])).to_series()
    residents, earliest = columns[of.column].resident_ids(), days.min()
    if earliest is None or not len(residents.birth) or residents.birth.max() <= _as_number(earliest):
        return pl.repeat(value=False, n=len(days), dtype=pl.Boolean, eager=True)
    numbers = days.dt.year() * 10_000 + days.dt.month().cast(pl.Int32) * 100 + days.dt.day().cast(pl.Int32)
    is_card = columns[of.other_column].text == RESIDENT_CARD
    return is_card & (pl.Series(residents.birth) > numbers)


def _expected(number: Any, kind: Any, *days: Any) -> bool:
    day = next((day for day in days if given(day)), None)
    born = birth_in(number) if kind == "01" and given(number) else None
    return born is None or day is None or _as_number(born) <= _as_number(day)


def _as_number(day: Any) -> int:
    """20250601 for 2025-06-01."""
    return int(day.year * 10_000 + day.month * 100 + day.day)


def _message(of: ResidentIdBirth, labels: Labels) -> tuple[str, str]:
    days = "或".join(labels.get(name, name) for name in of.date_columns)
    return (
        f"身份证号码中的出生日期晚于{days}",
        f"the day of birth in {of.column} is after {' or '.join(of.date_columns)}",
    )


KIND = RuleKind(
    "expect_birth_not_to_be_after_date", ResidentIdBirth, "consistency", _message, _unexpected, each_row(_expected)
)
