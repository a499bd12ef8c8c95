"""Numbers as people write them: separators of thousands, Chinese words for thousands and ten thousands, measures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from threegaps.standards.white_space import without_white_space

SCALES = {
    "十": 10,
    "百": 100,
    "千": 1_000,
    "k": 1_000,
    "K": 1_000,
    "万": 10_000,
    "w": 10_000,
    "W": 10_000,
    "亿": 100_000_000,
}
"""Words for powers of ten; several multiply (千万, 万亿)."""

DIGITS = r"(?:[0-9]{1,3}(?:[,，][0-9]{3})+|[0-9]{1,15})(?:\.[0-9]{1,6})?"
"""Digits with or without separators of thousands: 1200, 1,200, 1.25."""

_PIECE = re.compile(rf"({DIGITS})([{''.join(SCALES)}]{{0,3}})")


def read_numeral(text: str, measure_words: Sequence[str] = ()) -> Decimal | None:
    """The number that *text* says; None where it says none for certain.

    Args:
        text: 1200, 1,200, 1.2万, 3千5百, 2亿3000万; a sign may stand before it.
        measure_words: What may stand behind it.
    """
    text = without_white_space(text)
    for word in sorted(measure_words, key=len, reverse=True):
        if text.endswith(word) and len(text) > len(word):
            text = text.removesuffix(word)
            break
    sign = -1 if text[:1] in {"-", "−"} else 1
    rest = text[1:] if sign < 0 else text
    total, smallest = Decimal(0), None
    while rest:
        match = _PIECE.match(rest)
        if match is None:
            return None
        scale = 1
        for word in match[2]:
            scale *= SCALES[word]
        # 1万2 leaves open whether two or two thousand is meant; 3百5千 is no number.
        if smallest is not None and (scale >= smallest or scale == 1):
            return None
        total, smallest, rest = total + Decimal(match[1].translate(_SEPARATORS)) * scale, scale, rest[match.end() :]
    return None if smallest is None else sign * total


def plain(number: Decimal) -> str:
    """The number in digits, without an exponent and without zeros at its end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_SEPARATORS = {ord(","): None, ord("，"): None}
