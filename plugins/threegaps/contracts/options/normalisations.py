"""The clean-ups that a feed declares; nothing else is changed, and each is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from threegaps.contracts.options.base import Names, Option, Text
from threegaps.rules.regular_expressions import ColumnExpression, fits_anything

AreaLevel = Literal["county", "city", "province", "own_level", "elsewhere"]
AreaLevels = Annotated[tuple[AreaLevel, ...], Field(strict=False, min_length=1)]


class MissingWords(Option):
    """Words that departments write for a missing value, in some columns or (none named) in all."""

    kind: Literal["missing_words"]
    words: Names = ("无", "/", "-", "—", "NULL", "null", "\\N")
    columns: Annotated[tuple[Text, ...], Field(strict=False)] = ()


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
    factors: Annotated[Mapping[Text, PositiveInt], Field(min_length=1)]


class DeclaredUnit(Option):
    """Amounts to their base unit, where no unit stands beside them: the department has said it once for the columns.

    Args:
        columns: The columns, in the unit as sent.
        unit: What the department says, for people: 万元.
        factor: How much of the base unit it is: 10000.
    """

    kind: Literal["declared_unit"]
    columns: Names
    unit: Text
    factor: Annotated[int, Field(ge=2)]


BOUNDS = ("exact", "below", "above", "about")
"""What a number's bound can be, as the column that is made of it says it."""


class BoundedNumber(Option):
    """Numbers that are said with a bound (近700, 64余, 约30): the number stays, the bound goes to a column of its own.

    Args:
        column: The number's column.
        bound_column: Where the bound goes: ``exact``, ``below`` (近, 不足, 以内), ``above`` (余, 多, 逾, 以上) or
            ``about`` (约, 左右).
    """

    kind: Literal["bounded_number"]
    column: str
    bound_column: str


class WrittenNumber(Option):
    """Numbers as people write them (1,200, 1.2万, 3千5百, 64人) to plain digits.

    Args:
        columns: The numbers' columns.
        measure_words: What may stand behind a number and says no more than the column does: 人, 元/月.
    """

    kind: Literal["written_number"]
    columns: Names
    measure_words: Annotated[tuple[Text, ...], Field(strict=False)] = ()


class NumberRange(Option):
    """Ranges said in a text (8千-1.2万, 8000—12000元/月, 5000以上) to their lowest and highest number.

    Args:
        column: The text's column.
        low_column: Where the lowest number goes; nothing where the range is open below.
        high_column: Likewise the highest.
        measure_words: What may stand behind a number and says no more than the columns do: 元/月.
    """

    kind: Literal["number_range"]
    column: str
    low_column: str
    high_column: str
    measure_words: Annotated[tuple[Text, ...], Field(strict=False)] = ()


class CountyCodes(Option):
    """Abolished codes and functional zones to the county that they stand for on the row's date (GB/T 2260).

    Args:
        column: The column of the code.
        date_column: The date of what the row says.
        area_levels: What the column may hold: ``elsewhere`` is any other province, by its first two digits, for where
            people live or are registered; ``own_level`` is what belongs to no county because the province's or a
            city's own offices handle, insure or issue it (339900; a city's first four digits and 99).
    """

    kind: Literal["county_codes"]
    column: str
    date_column: str
    area_levels: AreaLevels = ("county",)


class CountyNames(Option):
    """Names of divisions and of functional zones to the code of the one that they stand for (GB/T 2260).

    A name that has become several divisions since, or that several have, stays as it is and is refused.

    Args:
        column: The column of the name, which takes the code; a code that stands there already stays.
        date_column: The date of what the row says. Left out where the list says where something is now: then the
            delivery's last day counts.
        city_column: The name of its city, which tells divisions of one name apart.
        area_levels: What kinds of divisions may be named.
    """

    kind: Literal["county_names"]
    column: str
    date_column: str | None = None
    city_column: str | None = None
    area_levels: AreaLevels = ("county",)


class Coordinates(Option):
    """A pair of coordinates in degrees, put right where it is swapped: those of Zhejiang never fit both columns."""

    kind: Literal["coordinates"]
    longitude_column: str
    latitude_column: str


class TotalRows(Option):
    """Rows that are totals, ranks or notes.

    A row is one where the whole of a cell, without its spaces, has the form, and a part of its key is empty once it is
    cleaned; or the key has not its form, or is the label alone, and another column that no row may lack is empty too.
    So a firm whose name ends in a word for a total is a firm, and a full row with a mistyped key is refused.

    Args:
        columns: Where the label may stand.
        regex: The label's form.
        reason: As what such rows are counted.
    """

    kind: Literal["total_rows"]
    columns: Names
    regex: ColumnExpression
    reason: Literal["total", "subtotal", "rank", "note"]

    @field_validator("regex")
    @classmethod
    def _has_a_form(cls, written: str) -> str:
        if fits_anything(written):
            raise ValueError("fits an empty cell or any name: rows would be passed over as totals; say the words")
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
    true: Text
    false: Text

    @model_validator(mode="after")
    def _words_differ(self) -> Self:
        if self.true == self.false:
            raise ValueError(f"{self.true!r} stands for yes and for no")
        return self


Normalisation = Annotated[
    MissingWords
    | FullWidthDigits
    | LeadingApostrophe
    | ResidentId
    | DateStyles
    | FirstOfMonth
    | Unit
    | DeclaredUnit
    | BoundedNumber
    | WrittenNumber
    | NumberRange
    | CountyCodes
    | CountyNames
    | Coordinates
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


_NUMBERS = ("number", "integer")


def made_columns(option: Normalisation) -> dict[str, tuple[str, ...]]:
    """The columns that a normalisation makes, which no department sends, each with the types that it can have."""
    match option:
        case PeriodLabel():
            return {option.start_column: ("date",), option.end_column: ("date",)}
        case BoundedNumber():
            return {option.bound_column: ("string",)}
        case NumberRange():
            return {option.low_column: _NUMBERS, option.high_column: _NUMBERS}
        case _:
            return {}


def read_types(option: Normalisation) -> dict[str, tuple[str, ...]]:
    """The types that the columns of a normalisation must have for it to mean anything; others may have any."""
    match option:
        case DateStyles():
            return dict.fromkeys(option.columns, ("date",))
        case FirstOfMonth():
            return {option.column: ("date",)}
        case CountyCodes() | CountyNames():
            dates: dict[str, tuple[str, ...]] = {option.date_column: ("date",)} if option.date_column else {}
            return {option.column: ("string",), **dates}
        case ResidentId() | NumberRange() | PeriodLabel():
            return {option.column: ("string",)}
        case BooleanWords():
            return {option.column: ("boolean",)}
        case Unit() | BoundedNumber():
            return {option.column: _NUMBERS}
        case DeclaredUnit() | WrittenNumber():
            return dict.fromkeys(option.columns, _NUMBERS)
        case Coordinates():
            return dict.fromkeys((option.longitude_column, option.latitude_column), ("number",))
        case _:
            return {}
