"""What stands on a roster with a first and a last day."""

from __future__ import annotations

from datetime import date

import polars as pl


def in_force(day: date, first: str, last: str) -> pl.Expr:
    """Whether what has begun by `day` lasts to that day or later, or has no end."""
    return (pl.col(first) <= day) & (pl.col(last).is_null() | (pl.col(last) >= day))
