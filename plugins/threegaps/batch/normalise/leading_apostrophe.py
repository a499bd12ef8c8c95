"""The apostrophe by which a spreadsheet keeps a number as text."""

from __future__ import annotations

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.contracts.options.normalisations import LeadingApostrophe

_APOSTROPHE = "^['‘’]"


def leading_apostrophe(option: LeadingApostrophe, texts: Texts, counts: Counts) -> None:
    """Take it off."""
    for name in option.columns:
        column = texts[name]
        suspicious = column.values.str.contains(_APOSTROPHE)
        counts.add("leading_apostrophe", name, column.rewrite(suspicious, lambda text: text[1:].strip()))
