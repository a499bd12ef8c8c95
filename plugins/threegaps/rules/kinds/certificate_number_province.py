"""The province in a level certificate's number must be the one that sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.standards.by_value import certificate_part
from threegaps.standards.certificates import part_differs

if TYPE_CHECKING:
    import polars as pl


class CertificateNumberProvince(Arguments):
    """The columns of numbers and of the kinds of certificate, and the province's two digits."""

    column: Annotated[str, AS_TEXT]
    other_column: Annotated[str, AS_TEXT]
    province: Annotated[str, Field(pattern=r"^[1-9][0-9]$")]


def _unexpected(columns: Columns, of: CertificateNumberProvince) -> pl.Series:
    numbers, kinds = columns[of.column].text, columns[of.other_column].text
    return part_differs(numbers, kinds, offset=5, length=2, expected=of.province)


def _expected(number: Any, kind: Any, *, province: str) -> bool:
    return certificate_part(number, kind, "province") in {None, province}


KIND = RuleKind(
    "expect_certificate_number_to_fit_province",
    CertificateNumberProvince,
    "consistency",
    in_words("{column}第6至7位不是{province}", "characters 6 and 7 of {column} are not {province}"),
    _unexpected,
    each_row(_expected),
)
