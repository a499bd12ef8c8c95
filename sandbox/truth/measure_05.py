"""Measure 5: directories of what to train for and of who may train."""

from __future__ import annotations

import polars as pl

from sandbox.calendar import add_months
from sandbox.truth.cells import Cells
from sandbox.truth.counties import one_a_county, with_own_or_citys
from sandbox.truth.known import Known
from sandbox.truth.periods import LISTED_SINCE, days
from sandbox.truth.registry import computes

DIRECTORIES = {"M05-4": "01", "M05-5": "02"}


@computes("M05-4", "M05-5")
def directories(cells: Cells, known: Known) -> None:
    """Counties with a directory in force that is no older than a year."""
    entries = known.accepted["hrss/training_directories"]
    for period in days("quarter", "year", since=LISTED_SINCE):
        a_year_before = add_months(period.end, -11)
        by_then = entries.filter(pl.col("valid_from") <= period.end)
        lists = by_then.group_by("directory_kind", "directory_id", "area_code").agg(
            is_in_force=(pl.col("valid_until").is_null() | (pl.col("valid_until") >= period.end)).any(),
            is_recent=(pl.col("revised_on") >= a_year_before).any(),
        )
        issued = lists.filter("is_in_force", "is_recent")
        for code, kind in DIRECTORIES.items():
            own = issued.filter(pl.col("directory_kind") == kind)["area_code"]
            cells.ratio(code, period, with_own_or_citys(one_a_county(), own), pl.col("has"))
