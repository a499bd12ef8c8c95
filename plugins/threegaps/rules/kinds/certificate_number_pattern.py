"""A certificate's number must have the form of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.standards.by_value import fits_certificate_kind, given
from threegaps.standards.certificates import (
    LEVEL_CERTIFICATE,
    LEVEL_NUMBER,
    QUALIFICATION_CERTIFICATE,
    QUALIFICATION_NUMBER,
)

if TYPE_CHECKING:
    import polars as pl


class CertificateNumberPattern(Arguments):
    """The column of numbers, and that of the kinds of certificate."""

    column: Annotated[str, AS_TEXT]
    other_column: Annotated[str, AS_TEXT]


def _unexpected(columns: Columns, of: CertificateNumberPattern) -> pl.Series:
    numbers, kinds = columns[of.column].text, columns[of.other_column].text
    wrong_level = (kinds == LEVEL_CERTIFICATE) & ~numbers.str.contains(LEVEL_NUMBER)
    wrong_qualification = (kinds == QUALIFICATION_CERTIFICATE) & ~numbers.str.contains(QUALIFICATION_NUMBER)
    return wrong_level.fill_null(value=False) | wrong_qualification.fill_null(value=False)


def _expected(number: Any, kind: Any) -> bool:
    return not given(number) or fits_certificate_kind(number, kind)


KIND = RuleKind(
    "expect_certificate_number_to_fit_pattern",
    CertificateNumberPattern,
    "conformity",
    in_words("{column}格式与{other_column}不符", "{column} does not have the form of its kind"),
    _unexpected,
    each_row(_expected),
)
