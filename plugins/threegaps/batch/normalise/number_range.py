"""Ranges said in a text: 8千-1.2万, 8000—12000元/月, 5000以上."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from threegaps.batch.normalise.numerals import SCALES, plain, read_numeral
from threegaps.batch.normalise.text_columns import Counts, TextColumn, Texts
from threegaps.contracts.options.normalisations import NumberRange
from threegaps.standards.white_space import without_white_space

_BETWEEN = re.compile(r"\s*(?:--?|－|——?|–|~|～|至|到)\s*")
_OPEN_ABOVE = re.compile(r"(?P<number>.*?)(?:及?以上|起)(?P<measure>.*)")
_OPEN_BELOW = re.compile(r"(?P<number>.*?)(?:及?以下|以内)(?P<measure>.*)")

Range = tuple[Decimal | None, Decimal | None]


def number_range(option: NumberRange, texts: Texts, counts: Counts) -> None:
    """Make the columns of the lowest and of the highest number.

    A text that says no range for certain stands in both, for their type rules to refuse.
    """
    column = texts[option.column]
    read = {text: read_range(text, option.measure_words) for text in column.values.to_list() if text is not None}
    counts.add(
        "number_range",
        option.column,
        column.rows_of([index for index, text in enumerate(column.values.to_list()) if text and read[text]]),
    )
    for index, target in enumerate((option.low_column, option.high_column)):
        ends: dict[str, str | None] = {}
        for text, found in read.items():
            end = found[index] if found else None
            ends[text] = (None if end is None else plain(end)) if found else text
        made = column.texts.replace_strict(ends, default=None, return_dtype=pl.String)
        texts[target] = TextColumn(target, made)


def read_range(text: str, measure_words: Sequence[str] = ()) -> Range | None:
    """Lowest and highest number of a range, None for an open end; None where *text* says none for certain.

    A word for a power of ten at the end is said of both numbers (6-8千) unless the first would exceed the second
    then (8000-1.2万).
    """
    text = without_white_space(text)
    for form, is_low in ((_OPEN_ABOVE, True), (_OPEN_BELOW, False)):
        if match := form.fullmatch(text):
            bound = read_numeral(match["number"] + match["measure"], measure_words)
            return None if bound is None else ((bound, None) if is_low else (None, bound))
    ends = _BETWEEN.split(text)
    if len(ends) == 1:
        number = read_numeral(text, measure_words)
        return None if number is None else (number, number)
    if len(ends) != 2:
        return None
    low, high = (read_numeral(end, measure_words) for end in ends)
    if low is None or high is None:
        return None
    shared = _scale_at_end(ends[1], measure_words)
    if shared and not set(ends[0]) & SCALES.keys() and low * shared <= high:
        low *= shared
    return (low, high) if low <= high else None


def _scale_at_end(text: str, measure_words: Sequence[str]) -> int:
    """What the words for powers of ten at the end of a number multiply to; 0 where there are none."""
    for word in sorted(measure_words, key=len, reverse=True):
        if text.endswith(word):
            text = text.removesuffix(word)
            break
    scale = 1
    while text and text[-1] in SCALES:
        scale *= SCALES[text[-1]]
        text = text[:-1]
    return scale if scale > 1 else 0
