"""Measure 8, 技能型企业: M08-2."""

from __future__ import annotations

import polars as pl

from sandbox.truth.cells import Cells
from sandbox.truth.known import Known
from sandbox.truth.periods import days
from sandbox.truth.registry import computes
from sandbox.truth.stocks import levels


@computes("M08-2")
def skilled_employees(cells: Cells, known: Known) -> None:
    """Insured employees of enterprises on the roster, each with the latest post, and their certificates."""
    for period in days("year"):
        day = period.end
        listed = known.enterprises.filter(
            (pl.col("recognised") <= day) & (pl.col("revoked").is_null() | (pl.col("revoked") > day))
        ).select("uscc", "county")
        posts = known.spells.filter(
            pl.col("is_insured")
            & (pl.col("start_date") <= day)
            & (pl.col("end_date").is_null() | (pl.col("end_date") >= day))
        ).drop("county")
        employees = (
            posts.join(listed, on="uscc")
            .sort("start_date", "employer_code", "uscc", descending=[False, False, True])
            .unique("person", keep="last", maintain_order=True)
            .join(levels(known.certificates, day), on="person", how="left")
        )
        cells.ratio("M08-2", period, employees, pl.col("level").is_not_null())
        levelled = pl.col("level").is_in(["5", "4", "3", "2", "1", "T", "S"])
        cells.ratio("M08-2", period, employees, levelled, ("levelled", "levelled"))
        high = pl.col("level").is_in(["3", "2", "1", "T", "S"])
        cells.ratio("M08-2", period, employees, high, ("high_skilled", "high_skilled"))
