"""Numbers of certificates, in columns (coding rules of MOHRSS: 22 characters for level certificates, else 16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

LEVEL_CERTIFICATE, QUALIFICATION_CERTIFICATE = "01", "02"
LEVEL_NUMBER = r"^[YS][0-9]{4}[0-9]{2}[0-9]{6}[0-9]{2}[1-5TS][0-9]{6}$"
QUALIFICATION_NUMBER = r"^[0-9]{16}$"


def part_differs(
    numbers: pl.Series, kinds: pl.Series, *, offset: int, length: int, expected: pl.Series | str
) -> pl.Series:
    """The well-formed level certificates whose number does not say *expected* at *offset*."""
    judged = (kinds == LEVEL_CERTIFICATE) & numbers.str.contains(LEVEL_NUMBER)
    return judged & (numbers.str.slice(offset, length) != expected)
