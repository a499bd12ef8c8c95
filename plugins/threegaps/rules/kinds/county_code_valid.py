"""A county code, after its normalisation by code and date, must be a division of Zhejiang in force (GB/T 2260)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from threegaps.rules.conditions import each_value
from threegaps.rules.model import AS_TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.standards.areas import codes_in_force

if TYPE_CHECKING:
    import polars as pl


class CountyCodeValid(Arguments):
    """The column of codes, and the levels of division that it may hold."""

    column: Annotated[str, AS_TEXT]
    area_levels: Annotated[tuple[Literal["county", "city", "province"], ...], Field(strict=False, min_length=1)] = (
        "county",
    )


def _unexpected(columns: Columns, of: CountyCodeValid) -> pl.Series:
    return ~columns[of.column].text.is_in(list(codes_in_force(of.area_levels)))


def _expected(code: str, *, area_levels: Sequence[str]) -> bool:
    return code in codes_in_force(tuple(area_levels))


KIND = RuleKind(
    "expect_county_code_to_be_valid",
    CountyCodeValid,
    "accuracy",
    in_words("{column}不是当日有效的浙江行政区划", "{column} is no valid division of Zhejiang on that date"),
    _unexpected,
    each_value(_expected),
)
