"""Measure 6: apprentices, and the colleges that schools and enterprises found together."""

from __future__ import annotations

import polars as pl

from sandbox.truth.cells import Cells
from sandbox.truth.known import Known
from sandbox.truth.periods import LISTED_SINCE, days
from sandbox.truth.registry import computes


@computes("M06-4")
def colleges(cells: Cells, known: Known) -> None:
    """Colleges that exist, of either kind."""
    every = known.accepted["industry/colleges"]
    for period in days("year", since=LISTED_SINCE):
        exists = pl.col("valid_until").is_null() | (pl.col("valid_until") >= period.end)
        rows = every.filter((pl.col("valid_from") <= period.end) & exists)
        cells.count("M06-4", period, rows, None)
        for (kind,), part in rows.group_by("kind"):
            cells.count("M06-4", period, part, None, ("college_kind", str(kind)))
