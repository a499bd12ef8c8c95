"""A document number must not have lost its last digits to a spreadsheet's scientific notation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from threegaps.rules.conditions import each_value
from threegaps.rules.model import AS_TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.standards.by_value import is_scientific

if TYPE_CHECKING:
    import polars as pl


class ResidentIdPrecise(Arguments):
    """The column of document numbers."""

    column: Annotated[str, AS_TEXT]


def _unexpected(columns: Columns, of: ResidentIdPrecise) -> pl.Series:
    from threegaps.standards.identifiers import SCIENTIFIC

    return columns[of.column].text.str.contains(SCIENTIFIC)


KIND = RuleKind(
    "expect_resident_id_to_be_precise",
    ResidentIdPrecise,
    "accuracy",
    in_words(
        "{column}为科学计数法,末位已丢失", "the document number is in scientific notation: its last digits are lost"
    ),
    _unexpected,
    each_value(lambda text: not is_scientific(text)),
)
