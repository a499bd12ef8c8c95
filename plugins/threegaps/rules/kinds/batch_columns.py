"""The contract's columns must be those of its last load under the same version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from threegaps.rules.conditions import each_value
from threegaps.rules.frames import CHANGED_COLUMNS
from threegaps.rules.model import Arguments, Columns, RuleKind, in_words

if TYPE_CHECKING:
    import polars as pl


class BatchColumns(Arguments):
    """Nothing to say: a new version of the contract says that a change is meant."""


def _unexpected(columns: Columns, of: BatchColumns) -> pl.Series:
    del of
    return columns[CHANGED_COLUMNS].typed > 0


def _expected(changed: Any) -> bool:
    return not changed


KIND = RuleKind(
    "expect_columns_to_be_as_declared",
    BatchColumns,
    "conformity",
    in_words(
        "合同所列的列与同一版本上次载入时不同",
        "the contract's columns are not those of its last load under the same version",
    ),
    _unexpected,
    each_value(_expected),
    scope="batch",
    reads=(CHANGED_COLUMNS,),
    action="stop",
)
