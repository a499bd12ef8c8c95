"""Rows that are totals, ranks or notes: no data, counted with their reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl

from threegaps.contracts.options.normalisations import TotalRows


def total_rows(
    options: Sequence[TotalRows], key: Sequence[str], frame: pl.DataFrame
) -> tuple[pl.Series | None, Counter[str]]:
    """Which rows of a block are none (None where all are), and how many by reason.

    A row is none where a whole cell has the label's form and the row lacks a part of its key besides: a firm whose
    name is, or ends in, a word for a total is a firm.

    Args:
        options: What the contract declares.
        key: The columns of the feed's key.
        frame: The rows as they were sent, by canonical names.
    """
    found: pl.Series | None = None
    reasons: Counter[str] = Counter()
    for option in options:
        for name in option.columns:
            labels = frame[name].str.replace_all(r"\s", "").str.contains(f"^(?:{option.regex})$")
            matches = labels.fill_null(value=False)
            if not matches.any():
                continue
            matches &= _lacks_key(frame, [part for part in key if part in frame.columns and part != name])
            fresh = matches if found is None else matches & ~found
            if fresh.any():
                reasons[option.reason] += int(fresh.sum())
            found = matches if found is None else found | matches
    return (None if found is None or not found.any() else found), reasons


def _lacks_key(frame: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """The rows in which one of the columns of *key* is empty; all where there is none."""
    if not key:
        return pl.repeat(value=True, n=frame.height, dtype=pl.Boolean, eager=True)
    empty = pl.any_horizontal(pl.col(key).fill_null("").str.strip_chars().str.len_bytes() == 0)
    return frame.select(empty.alias("lacks")).to_series()
