"""技能提薪: M14."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.truth.cells import Cells
from sandbox.truth.contribution_wages import median_ratio, person_wages
from sandbox.truth.known import Known
from sandbox.truth.periods import periods
from sandbox.truth.registry import computes


@computes("M14-2")
def high_over_low(cells: Cells, known: Known) -> None:
    """Median wage of the high levels over that of the low ones, years."""
    for period in periods("year"):
        wages = person_wages(known, period)
        median_ratio(cells, "M14-2", period, wages, pl.col("rank") >= 3, pl.col("rank").is_in([1, 2]))


@computes("M14-4")
def median_by_level(cells: Cells, known: Known) -> None:
    """Median wage by level, quarters and years."""
    nothing = {"numerator": pl.lit(None), "denominator": pl.lit(None)}
    for period in periods("quarter", "year"):
        for (level,), part in person_wages(known, period).group_by("level"):
            # The two highest stand for the province only.
            there = part.filter(pl.col("area_code") == areas.PROVINCE) if level in ("T", "S") else part
            frame = there.group_by("area_code").agg(value=pl.col("wage").median(), n_persons=pl.len())
            cells.add("M14-4", period, frame.with_columns(**nothing), breakdown=("skill_level", str(level)))
