"""A resident identity card's number must be valid by GB 11643; other documents are taken as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.standards.by_value import birth_in, given, is_scientific

if TYPE_CHECKING:
    import polars as pl


class ResidentIdValid(Arguments):
    """The column of document numbers, and that of the kinds of document."""

    column: Annotated[str, AS_TEXT]
    other_column: Annotated[str, AS_TEXT]


def _unexpected(columns: Columns, of: ResidentIdValid) -> pl.Series:
    import polars as pl

    from threegaps.standards.identifiers import RESIDENT_CARD, SCIENTIFIC

    texts, types = columns[of.column].text, columns[of.other_column].text
    invalid = ~columns[of.column].resident_ids().is_valid
    wrong = (types == RESIDENT_CARD) & texts.is_not_null() & pl.Series(invalid)
    if wrong.any():
        wrong &= ~texts.str.contains(SCIENTIFIC)
    return wrong


def _expected(number: Any, kind: Any) -> bool:
    if kind != "01" or not given(number) or is_scientific(number):
        return True
    return birth_in(number) is not None


KIND = RuleKind(
    "expect_resident_id_to_be_valid",
    ResidentIdValid,
    "accuracy",
    in_words(
        "居民身份证号码不是有效的18位号码(GB 11643)",
        "not a valid resident identity number (GB 11643: form, birth, check digit)",
    ),
    _unexpected,
    each_row(_expected),
)
