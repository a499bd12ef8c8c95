"""Spaces around a text, which no contract needs to declare, and texts of nothing else, which are missing values."""

from __future__ import annotations

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.standards.white_space import WHITE_SPACE


def surrounding_spaces(texts: Texts, counts: Counts) -> None:
    """Take spaces off both ends of every text."""
    for name, column in texts.items():
        rows = column.rewrite(
            lambda text: text.strip(WHITE_SPACE), lambda values: values.str.strip_chars(WHITE_SPACE) != values
        )
        counts.add("surrounding_space", name, rows)


def empty_texts(texts: Texts) -> None:
    """Make a missing value of an empty text; not counted, because nothing was written."""
    for column in texts.values():
        column.rewrite(lambda text: text or None, lambda values: values.str.len_bytes() == 0)
