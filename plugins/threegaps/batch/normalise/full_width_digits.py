"""Full-width letters, digits and signs, as Chinese type has them."""

from __future__ import annotations

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.batch.texts import FULL_WIDTH
from threegaps.contracts.options.normalisations import FullWidthDigits


def full_width_digits(option: FullWidthDigits, texts: Texts, counts: Counts) -> None:
    """Make them plain ones."""
    for name in option.columns:
        column = texts[name]
        values = column.values
        suspicious = values.str.len_bytes() != values.str.len_chars()
        counts.add("full_width_digits", name, column.rewrite(suspicious, _plain))


def _plain(text: str) -> str:
    return text.translate(FULL_WIDTH).strip()
