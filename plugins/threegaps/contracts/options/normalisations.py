"""The clean-ups that a feed declares; nothing else is changed, and each is counted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from threegaps.contracts.options.base import Names, Option

AreaLevel = Literal["county", "city", "province"]
AreaLevels = Annotated[tuple[AreaLevel, ...], Field(strict=False, min_length=1)]


class MissingWords(Option):
    """Words that departments write for a missing value."""

    kind: Literal["missing_words"]
    words: Names = ("无", "/", "-", "—", "NULL", "null", "\\N")


class FullWidthDigits(Option):
    """Full-width letters, digits and signs become the plain ones."""

    kind: Literal["full_width_digits"]
    columns: Names


class LeadingApostrophe(Option):
    """The apostrophe by which a spreadsheet keeps a number as text is taken off."""

    kind: Literal["leading_apostrophe"]
    columns: Names


class ResidentId(Option):
    """Document numbers in their canonical form (GB 11643): fifteen digits to eighteen, x to X."""

    kind: Literal["resident_id"]
    column: str
    type_column: str


class DateStyles(Option):
    """Dates in the styles that departments write, Excel serials too."""

    kind: Literal["date_styles"]
    columns: Names


class FirstOfMonth(Option):
    """A column of months, kept as their first day."""

    kind: Literal["first_of_month"]
    column: str


class Unit(Option):
    """Amounts to their base unit, by the unit that stands beside each."""

    kind: Literal["unit"]
    column: str
    unit_column: str
    factors: Mapping[str, int]


class CountyCodes(Option):
    """Abolished codes and functional zones to the county that they stand for on the row's date (GB/T 2260)."""

    kind: Literal["county_codes"]
    column: str
    date_column: str
    area_levels: AreaLevels = ("county",)


class TotalRows(Option):
    """Rows that are totals, ranks or notes, by what stands in one of the columns."""

    kind: Literal["total_rows"]
    columns: Names
    regex: str
    reason: Literal["total", "subtotal", "rank", "note"]

    @field_validator("regex")
    @classmethod
    def _is_regular_expression(cls, written: str) -> str:
        try:
            re.compile(written)
        except re.error as error:
            raise ValueError(f"no regular expression ({error})") from error
        return written


class PeriodLabel(Option):
    """First and last day of a period, read from its printed label."""

    kind: Literal["period_label"]
    column: str
    start_column: str
    end_column: str


class BooleanWords(Option):
    """The words that stand for yes and no."""

    kind: Literal["boolean_words"]
    column: str
    true: str
    false: str


Normalisation = Annotated[
    MissingWords
    | FullWidthDigits
    | LeadingApostrophe
    | ResidentId
    | DateStyles
    | FirstOfMonth
    | Unit
    | CountyCodes
    | TotalRows
    | PeriodLabel
    | BooleanWords,
    Field(discriminator="kind"),
]


def columns_of(option: Normalisation) -> tuple[str, ...]:
    """The columns that a normalisation names."""
    named: list[str] = []
    for name in type(option).model_fields:
        value = getattr(option, name)
        if name == "columns":
            named.extend(value)
        elif (name == "column" or name.endswith("_column")) and value is not None:
            named.append(value)
    return tuple(named)
