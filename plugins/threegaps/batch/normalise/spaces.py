"""Spaces around a text, which no contract needs to declare, and texts of nothing else, which are missing values."""

from __future__ import annotations

from threegaps.batch.normalise.text_columns import Counts, Texts


def surrounding_spaces(texts: Texts, counts: Counts) -> None:
    """Take spaces off both ends of every text."""
    for name, column in texts.items():
        values = column.values
        counts.add("surrounding_space", name, column.rewrite(values.str.strip_chars() != values, str.strip))


def empty_texts(texts: Texts) -> None:
    """Make a missing value of an empty text; not counted, because nothing was written."""
    for column in texts.values():
        column.rewrite(column.values.str.len_bytes() == 0, lambda _: None)
