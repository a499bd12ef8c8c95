"""Rows of one sending must not say different things of one key in the same version.

Rows that say the same again are duplicates, and a later sending or a higher version supersedes: neither is unexpected.
Keys go across blocks, so the form in columns is the batch's register (`threegaps.batch.uniqueness`), which keeps
memory flat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from threegaps.rules.frames import SENDING, VERSION
from threegaps.rules.model import AS_TYPED, Arguments, RuleKind, in_words
from threegaps.standards.by_value import given


class KeyUnique(Arguments):
    """All that a row says, the key's columns first, and which these are."""

    column_list: Annotated[tuple[str, ...], Field(strict=False, min_length=1), AS_TYPED]
    key_columns: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]


def _condition(frame: Any, *, key_columns: Sequence[str]) -> Any:
    """Of rows that say the same the first stands for all; it is as expected where no other contradicts it."""
    import pandas as pd

    key_names = [*key_columns, SENDING, VERSION]
    said: dict[tuple[Any, ...], dict[tuple[Any, ...], int]] = {}
    for index, row in enumerate(frame.itertuples(index=False, name=None)):
        cells = dict(zip(frame.columns, (value if given(value) else None for value in row), strict=True))
        said.setdefault(tuple(cells[name] for name in key_names), {}).setdefault(tuple(cells.values()), index)
    expected = [True] * len(frame)
    for contents in said.values():
        if len(contents) > 1:
            for index in contents.values():
                expected[index] = False
    return pd.Series(expected, index=frame.index, dtype=bool)


KIND = RuleKind(
    "expect_keys_not_to_be_contradicted",
    KeyUnique,
    "uniqueness",
    in_words("同一批次内主键重复而内容不同", "the key stands twice in the batch with different content"),
    None,
    _condition,
    scope="key",
    reads=(SENDING, VERSION),
    must_refuse=True,
)
