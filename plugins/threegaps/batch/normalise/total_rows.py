"""Rows that are totals, ranks or notes: no data, counted with their reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from threegaps.contracts.options.normalisations import TotalRows


def total_rows(options: Sequence[TotalRows], key: Mapping[str, str | None], frame: pl.DataFrame) -> pl.Series | None:
    """By row why it is none, and null where it is one; None where all are.

    A row is none where a whole cell has the label's form and the row lacks a part of its key besides, or has a number
    of rows in its place: a firm whose name is, or ends in, a word for a total is a firm.

    Args:
        options: What the contract declares.
        key: The columns of the feed's key, each with the form of its values where it has one.
        frame: The rows as they were sent, by canonical names.
    """
    found: pl.Series | None = None
    for option in options:
        for name in option.columns:
            labels = frame[name].str.replace_all(r"\s", "").str.contains(f"^(?:{option.regex})$")
            matches = labels.fill_null(value=False)
            if not matches.any():
                continue
            matches &= _lacks_key(
                frame, {part: form for part, form in key.items() if part in frame.columns and part != name}
            )
            if matches.any():
                before = pl.repeat(None, frame.height, dtype=pl.String, eager=True) if found is None else found
                found = before.scatter((matches & before.is_null()).arg_true(), option.reason)
    return found


def _lacks_key(frame: pl.DataFrame, key: Mapping[str, str | None]) -> pl.Series:
    """The rows in which one of the columns of *key* is empty or has not its form; all where there is none."""
    if not key:
        return pl.repeat(value=True, n=frame.height, dtype=pl.Boolean, eager=True)
    lacking = [
        pl.col(name).str.strip_chars().str.len_bytes().fill_null(0) == 0
        if form is None
        else ~pl.col(name).str.strip_chars().str.contains(form).fill_null(value=False)
        for name, form in key.items()
    ]
    return frame.select(pl.any_horizontal(lacking).alias("lacks")).to_series()
