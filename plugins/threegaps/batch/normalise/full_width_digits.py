"""Full-width letters, digits and signs, as Chinese type has them."""

from __future__ import annotations

import polars as pl

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.batch.texts import FULL_WIDTH
from threegaps.contracts.options.normalisations import FullWidthDigits
from threegaps.standards.white_space import WHITE_SPACE


def full_width_digits(option: FullWidthDigits, texts: Texts, counts: Counts) -> None:
    """Make them plain ones."""
    for name in option.columns:
        counts.add("full_width_digits", name, texts[name].rewrite(_plain, _is_suspicious))


def _is_suspicious(values: pl.Series) -> pl.Series:
    return values.str.len_bytes() != values.str.len_chars()


def _plain(text: str) -> str:
    return text if text.isascii() else text.translate(FULL_WIDTH).strip(WHITE_SPACE)
