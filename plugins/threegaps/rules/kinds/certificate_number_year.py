"""The year in a level certificate's number must be that of its issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_DAY, AS_TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.standards.by_value import certificate_part, given
from threegaps.standards.certificates import part_differs

if TYPE_CHECKING:
    import polars as pl


class CertificateNumberYear(Arguments):
    """The columns of numbers, of the kinds of certificate, and of the days of issue."""

    column: Annotated[str, AS_TEXT]
    other_column: Annotated[str, AS_TEXT]
    date_column: Annotated[str, AS_DAY]


def _unexpected(columns: Columns, of: CertificateNumberYear) -> pl.Series:
    numbers, kinds = columns[of.column].text, columns[of.other_column].text
    years = columns[of.date_column].typed.dt.strftime("%y")
    return part_differs(numbers, kinds, offset=13, length=2, expected=years)


def _expected(number: Any, kind: Any, issued_on: Any) -> bool:
    year = certificate_part(number, kind, "year")
    return year is None or not given(issued_on) or int(year) == issued_on.year % 100


KIND = RuleKind(
    "expect_certificate_number_to_fit_year",
    CertificateNumberYear,
    "consistency",
    in_words("{column}中的年份与{date_column}不符", "the year in {column} is not that of {date_column}"),
    _unexpected,
    each_row(_expected),
)
