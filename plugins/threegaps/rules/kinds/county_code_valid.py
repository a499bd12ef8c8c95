"""A county code, after its normalisation by code and date, must be a division in force (GB/T 2260)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from threegaps.rules.conditions import each_value
from threegaps.rules.model import AS_TEXT, Arguments, Columns, Labels, RuleKind, in_words
from threegaps.standards.areas import are_divisions, is_division

if TYPE_CHECKING:
    import polars as pl

AreaLevel = Literal["county", "city", "province", "own_level", "elsewhere"]


class CountyCodeValid(Arguments):
    """The column of codes, and the levels of division that it may hold."""

    column: Annotated[str, AS_TEXT]
    area_levels: Annotated[tuple[AreaLevel, ...], Field(strict=False, min_length=1)] = ("county",)


def _unexpected(columns: Columns, of: CountyCodeValid) -> pl.Series:
    return ~are_divisions(columns[of.column].text, of.area_levels)


def _expected(code: str, *, area_levels: Sequence[str]) -> bool:
    return is_division(code, tuple(area_levels))


_IN_ZHEJIANG = in_words("{column}不是当日有效的浙江行政区划", "{column} is no valid division of Zhejiang on that date")
_OR_OWN_LEVEL = in_words(
    "{column}不是当日有效的浙江行政区划,也不是省本级或市本级",
    "{column} is no valid division of Zhejiang on that date, and no own level of the province or a city",
)
_ANYWHERE = in_words(
    "{column}不是当日有效的浙江行政区划,也不是外省行政区划代码",
    "{column} is no valid division of Zhejiang on that date, and none of another province",
)


def _message(of: Arguments, labels: Labels) -> tuple[str, str]:
    levels = of.area_levels if isinstance(of, CountyCodeValid) else ()
    if "elsewhere" in levels:
        return _ANYWHERE(of, labels)
    return (_OR_OWN_LEVEL if "own_level" in levels else _IN_ZHEJIANG)(of, labels)


KIND = RuleKind(
    "expect_county_code_to_be_valid",
    CountyCodeValid,
    "accuracy",
    _message,
    _unexpected,
    each_value(_expected),
)
