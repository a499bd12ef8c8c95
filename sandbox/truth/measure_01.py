"""Measure 1: forecasts of skill demand."""

from __future__ import annotations

import polars as pl

from sandbox.truth.cells import Cells
from sandbox.truth.counties import one_a_county, with_own_or_citys
from sandbox.truth.known import Known
from sandbox.truth.periods import days
from sandbox.truth.registry import computes


@computes("M01-6")
def forecasts(cells: Cells, known: Known) -> None:
    """Counties with a forecast published in the year that ends with the period."""
    published = known.accepted["hrss/demand_forecasts"]
    for period in days("year"):
        own = published.filter(pl.col("published").dt.year() == period.end.year)
        cells.ratio("M01-6", period, with_own_or_citys(one_a_county(), own["area"]), pl.col("has"))
