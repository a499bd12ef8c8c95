"""资金投入: W."""

from __future__ import annotations

import polars as pl

from sandbox.truth.cells import Cells
from sandbox.truth.known import Known
from sandbox.truth.periods import Period, periods
from sandbox.truth.registry import computes

# What is said roundly is cut to tens of 万元; the feed's amounts are hundredths of them.
ROUND_TO, FEWEST_SAID_ROUNDLY = 1_000, 1_000


def public_budgets(known: Known, year: Period) -> pl.DataFrame:
    """county, source, spent and budget (万元) of the public accounts in a year."""
    rows = known.accepted["hrss/skill_funds"].filter(~pl.col("is_estimate") & (pl.col("year") == year.start.year))
    return rows.select("source", pl.col("spent", "budget") / 100, county=pl.col("area").cast(pl.Int64))


@computes("W-1")
def spent(cells: Cells, known: Known) -> None:
    """Spending of the year by paying account less what was transferred in, in 万元; and the public budget."""
    amounts = known.accepted["hrss/skill_funds"].with_columns(county=pl.col("area").cast(pl.Int64))
    is_round = pl.col("is_estimate") & pl.col("is_round") & (pl.col("spent") >= FEWEST_SAID_ROUNDLY)
    said = pl.when(is_round).then(pl.col("spent") // ROUND_TO * ROUND_TO).otherwise("spent")
    for period in periods("year"):
        rows = amounts.filter(pl.col("year") == period.start.year).with_columns(
            amount=(said - pl.col("moved")) / 100,
            kind=pl.when("is_estimate").then(pl.lit("estimated")).otherwise(pl.lit("public")),
        )
        cells.total("W-1", period, rows, "amount")
        for name, column in (("fund_source", "source"), ("fund_kind", "kind")):
            for (value,), part in rows.group_by(column):
                cells.total("W-1", period, part, "amount", (name, str(value)))
        budget = rows.filter(~pl.col("is_estimate")).with_columns(amount=pl.col("budget") / 100)
        cells.total("W-1", period, budget, "amount", ("public_budget", "public_budget"))
