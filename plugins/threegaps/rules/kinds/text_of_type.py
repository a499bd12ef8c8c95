"""What a department wrote must be a value of the column's type."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
    "boolean": ("1或0", "boolean"),
}


class TextOfType(Arguments):
    """The column and its logical type."""

    column: Annotated[str, AS_BOTH]
    logical_type: Literal["date", "number", "integer", "timestamp", "boolean"]


def _unexpected(columns: Columns, of: TextOfType) -> pl.Series:
    column = columns[of.column]
    return column.typed.is_null() & column.text.is_not_null()


def _expected(value: Any, text: Any, *, logical_type: str) -> bool:
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
    zh, en = _WORDS[of.logical_type]
    return f"{labels.get(of.column, of.column)}不是有效的{zh}", f"{of.column} is not a valid {en}"


KIND = RuleKind(
    "expect_column_text_to_be_of_type", TextOfType, "conformity", _message, _unexpected, each_row(_expected)
)
