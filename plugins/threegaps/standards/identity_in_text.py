"""Resident identity numbers that stand in texts where none is asked for: found, and masked.

A number counts when it is valid by itself: 18 characters by GB 11643 or 15 digits as issued until 1999, an address code
of a province (GB/T 2260), a day of birth, the check character where there is one; full-width digits are digits. It is
looked for between characters that are no digits, so that a certificate's 16 or 22 digits hold none by chance; births
are taken from 1900 to 2099. Of other runs of 18 digits one in 47,000 fits by chance (fewer of credit codes, which begin
with no province's code), of 15 digits, which have no check character, one in 85: where a column has such codes, its
contract says so.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from threegaps.standards.by_value import birth_in

if TYPE_CHECKING:
    import polars as pl

MASK = "***"
"""What stands for a number in whatever is kept."""

_PROVINCES = "1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]"
_DAY = "(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_NUMBER = f"(?:{_PROVINCES})[0-9]{{4}}(?:(?:19|20)[0-9]{{2}}{_DAY}[0-9]{{3}}[0-9Xx]|[0-9]{{2}}{_DAY}[0-9]{{3}})"
_FOUND = re.compile(f"(?<![0-9])(?:{_NUMBER})(?![0-9])")
_FULL_WIDTH = "０１２３４５６７８９Ｘｘ"
_FOLDED = "0123456789Xx"
_FOLDING = str.maketrans(_FULL_WIDTH, _FOLDED)

# What a text must have to hold a number, quickly; then its form, as the regular expressions of polars can say it.
_FIFTEEN_DIGITS = "[0-9０-９]{15}"
_FORM = f"(?:^|[^0-9])(?:{_NUMBER})(?:[^0-9]|$)"


def holds_identity_number(text: str) -> bool:
    """Whether a valid number stands in *text*."""
    return any(_is_valid(match[0]) for match in _FOUND.finditer(text.translate(_FOLDING)))


def masked(text: str) -> str:
    """*text* with ``***`` for each valid number."""
    folded = text.translate(_FOLDING)
    kept, end = [], 0
    for match in _FOUND.finditer(folded):
        if _is_valid(match[0]):
            kept += [text[end : match.start()], MASK]
            end = match.end()
    return "".join([*kept, text[end:]])


def texts_with_identity_numbers(texts: pl.Series) -> pl.Series:
    """The texts of a column in which a valid number stands."""
    import polars as pl

    found = pl.repeat(value=False, n=len(texts), dtype=pl.Boolean, eager=True)
    if not (texts.str.len_bytes() >= 15).any():
        return found
    suspects = texts.str.contains(_FIFTEEN_DIGITS).fill_null(value=False).arg_true()
    if not len(suspects):
        return found
    folded = texts.gather(suspects).str.replace_many(list(_FULL_WIDTH), list(_FOLDED))
    suspects = suspects.filter(folded.str.contains(_FORM))
    certain = [index for index in suspects.to_list() if holds_identity_number(texts[index])]
    return found.scatter(certain, values=True) if certain else found


def mask_texts(texts: pl.Series) -> pl.Series:
    """The column with ``***`` for each valid number that stands in its texts."""
    import polars as pl

    indexes = texts_with_identity_numbers(texts).arg_true()
    if not len(indexes):
        return texts
    fresh = [masked(text) for text in texts.gather(indexes).to_list()]
    return texts.clone().scatter(indexes, pl.Series(fresh, dtype=pl.String))


def _is_valid(number: str) -> bool:
    if len(number) == 18:
        return birth_in(number.upper()) is not None
    try:
        dt.date(1900 + int(number[6:8]), int(number[8:10]), int(number[10:12]))
    except ValueError:
        return False
    return True
