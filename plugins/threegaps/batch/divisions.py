"""Codes of divisions, in columns."""

from __future__ import annotations

import polars as pl

from threegaps.standards.areas import ELSEWHERE, codes_in_force


def are_divisions(codes: pl.Series, levels: tuple[str, ...]) -> pl.Series:
    """For each code whether it is a division of one of the levels (see `threegaps.standards.areas.is_division`)."""
    known = codes.is_in(list(codes_in_force(levels)))
    return known | codes.str.contains(ELSEWHERE) if "elsewhere" in levels else known
