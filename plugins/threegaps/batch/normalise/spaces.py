"""Spaces around a text, which no contract needs to declare, and texts of nothing else, which are missing values."""

from __future__ import annotations

from threegaps.batch.normalise.text_columns import Counts, Texts

_SPACES = "".join(
    chr(code)
    for code in (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
)
"""White space as Unicode defines it, the full-width one too."""


def surrounding_spaces(texts: Texts, counts: Counts) -> None:
    """Take spaces off both ends of every text."""
    for name, column in texts.items():
        rows = column.rewrite(lambda text: text.strip(_SPACES), lambda values: values.str.strip_chars() != values)
        counts.add("surrounding_space", name, rows)


def empty_texts(texts: Texts) -> None:
    """Make a missing value of an empty text; not counted, because nothing was written."""
    for column in texts.values():
        column.rewrite(lambda text: text or None, lambda values: values.str.len_bytes() == 0)
