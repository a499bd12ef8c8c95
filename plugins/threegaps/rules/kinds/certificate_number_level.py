"""The level in a level certificate's number must be its level code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.standards.by_value import certificate_part, given
from threegaps.standards.certificates import part_differs

if TYPE_CHECKING:
    import polars as pl


class CertificateNumberLevel(Arguments):
    """The columns of numbers, of the kinds of certificate, and of the levels."""

    column: Annotated[str, AS_TEXT]
    other_column: Annotated[str, AS_TEXT]
    where_column: Annotated[str, AS_TEXT]


def _unexpected(columns: Columns, of: CertificateNumberLevel) -> pl.Series:
    numbers, kinds = columns[of.column].text, columns[of.other_column].text
    return part_differs(numbers, kinds, offset=15, length=1, expected=columns[of.where_column].text)


def _expected(number: Any, kind: Any, level_code: Any) -> bool:
    level = certificate_part(number, kind, "level")
    return level is None or not given(level_code) or level == level_code


KIND = RuleKind(
    "expect_certificate_number_to_fit_level",
    CertificateNumberLevel,
    "consistency",
    in_words("{column}中的等级与{where_column}不符", "the level in {column} is not {where_column}"),
    _unexpected,
    each_row(_expected),
)
