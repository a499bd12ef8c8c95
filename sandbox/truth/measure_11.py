"""Measure 11, 技能型乡村(社区): M11."""

from __future__ import annotations

import polars as pl

from sandbox.truth.cells import Cells
from sandbox.truth.known import Known
from sandbox.truth.periods import days
from sandbox.truth.registry import computes
from sandbox.truth.rosters import in_force


@computes("M11-1")
def villages(cells: Cells, known: Known) -> None:
    """Ever recognised; those revoked by then apart, and a merged village is not one of them."""
    for period in days("quarter", "year"):
        rows = known.accepted["hrss/skill_villages"].filter(pl.col("recognised") <= period.end)
        gone = (pl.col("revoked") <= period.end).fill_null(value=False)
        cells.count("M11-1", period, rows, None)
        cells.count("M11-1", period, rows.filter(gone), None, ("status", "revoked"))
        cells.count("M11-1", period, rows.filter(~gone), None, ("status", "in_force"))


@computes("M11-4")
def special_ability_items(cells: Cells, known: Known) -> None:
    """Items in force, each in every county that offers it."""
    for period in days("year"):
        offered = known.accepted["hrss/special_ability_items"].filter(in_force(period.end, "begun", "ended"))
        cells.count("M11-4", period, offered, None)
