"""What a department wrote must be a value of the column's type."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from threegaps.rules.conditions import each_row
from threegaps.rules.model import AS_BOTH, Arguments, Columns, Labels, RuleKind
from threegaps.standards.by_value import given

if TYPE_CHECKING:
    import polars as pl

_WORDS = {
    "date": ("日期", "date"),
    "number": ("数值", "number"),
    "integer": ("整数", "integer"),
    "timestamp": ("时间", "timestamp"),
}
PLAIN_WORDS = ("1", "0")
"""What stands for yes and for no where a contract says nothing else."""


class TextOfType(Arguments):
    """The column and its logical type; of a boolean the words for yes and for no, `PLAIN_WORDS` where none are said."""

    column: Annotated[str, AS_BOTH]
    logical_type: Literal["date", "number", "integer", "timestamp", "boolean"]
    words: Annotated[tuple[str, str] | None, Field(strict=False)] = None


def _unexpected(columns: Columns, of: TextOfType) -> pl.Series:
    column = columns[of.column]
    return column.typed.is_null() & column.text.is_not_null()


def _expected(value: Any, text: Any, *, logical_type: str, words: Sequence[str] | None = None) -> bool:
    if not given(text):
        return True
    if not given(value):
        return False
    if logical_type not in {"number", "integer"}:
        return True
    try:
        return float(Decimal(text)) == float(value)
    except InvalidOperation:
        return False


def _message(of: TextOfType, labels: Labels) -> tuple[str, str]:
    label = labels.get(of.column, of.column)
    if of.logical_type == "boolean":
        yes, no = of.words or PLAIN_WORDS
        return f"{label}不是“{yes}”或“{no}”", f"{of.column} is neither {yes} nor {no}"
    zh, en = _WORDS[of.logical_type]
    return f"{label}不是有效的{zh}", f"{of.column} is not a valid {en}"


KIND = RuleKind(
    "expect_column_text_to_be_of_type", TextOfType, "conformity", _message, _unexpected, each_row(_expected)
)
