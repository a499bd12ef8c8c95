"""The apostrophe by which a spreadsheet keeps a number as text."""

from __future__ import annotations

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.contracts.options.normalisations import LeadingApostrophe
from threegaps.standards.white_space import WHITE_SPACE

_APOSTROPHES = "'‘’"


def leading_apostrophe(option: LeadingApostrophe, texts: Texts, counts: Counts) -> None:
    """Take it off."""
    for name in option.columns:
        rows = texts[name].rewrite(
            lambda text: text[1:].strip(WHITE_SPACE) if text.startswith(tuple(_APOSTROPHES)) else text,
            lambda values: values.str.contains(f"^[{_APOSTROPHES}]"),
        )
        counts.add("leading_apostrophe", name, rows)
