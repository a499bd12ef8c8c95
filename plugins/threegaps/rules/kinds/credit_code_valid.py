"""A unified social credit code must be valid by GB 32100 (live codes are known that are not: warn)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from threegaps.rules.conditions import each_value
from threegaps.rules.model import AS_TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.standards.by_value import is_credit_code

if TYPE_CHECKING:
    import polars as pl


class CreditCodeValid(Arguments):
    """The column of credit codes."""

    column: Annotated[str, AS_TEXT]


def _unexpected(columns: Columns, of: CreditCodeValid) -> pl.Series:
    import polars as pl

    from threegaps.standards.identifiers import judge_credit_codes

    texts = columns[of.column].text
    return pl.Series(~judge_credit_codes(texts)) & texts.is_not_null()


KIND = RuleKind(
    "expect_credit_code_to_be_valid",
    CreditCodeValid,
    "accuracy",
    in_words(
        "统一社会信用代码校验位不符(GB 32100)",
        "the check character of the unified social credit code does not fit (GB 32100)",
    ),
    _unexpected,
    each_value(is_credit_code),
)
