"""Measure 15, long-term incentives and annuities."""

from __future__ import annotations

from datetime import date

import polars as pl

from sandbox.truth.cells import Cells, members
from sandbox.truth.known import Known
from sandbox.truth.periods import Period, days
from sandbox.truth.registry import computes
from sandbox.truth.stocks import at_work

INCENTIVES = ("01", "02", "03", "04")
OWN, POOLED = "05", "06"


def in_force(known: Known, day: date) -> pl.DataFrame:
    """Plans in force on `day`."""
    plans = known.accepted["hrss/incentive_plans"]
    return plans.filter((pl.col("begun") <= day) & (pl.col("ended").is_null() | (pl.col("ended") >= day)))


@computes("M15-2")
def members_of_incentives(cells: Cells, known: Known) -> None:
    """High-skilled members as far as the filings say how many."""
    for period in days("year"):
        said = in_force(known, period.end).filter(pl.col("kind").is_in(INCENTIVES) & (pl.col("high") >= 0))
        _sum("M15-2", cells, period, said, ("total", "total"))
        for kind in INCENTIVES:
            _sum("M15-2", cells, period, said.filter(pl.col("kind") == kind), ("incentive_scheme", kind))


def _sum(code: str, cells: Cells, period: Period, rows: pl.DataFrame, breakdown: tuple[str, str]) -> None:
    spread = rows.join(members(period.end), on="county").group_by("area_code").agg(numerator=pl.col("high").sum())
    frame = spread.with_columns(denominator=pl.lit(None), value="numerator", n_persons="numerator")
    cells.add(code, period, frame, breakdown=breakdown)


@computes("M15-3")
def firms_with_annuities(cells: Cells, known: Known) -> None:
    """Firms with an annuity open to high-skilled staff; one with both kinds counts with its own."""
    for period in days("year"):
        plans = in_force(known, period.end).filter(pl.col("kind").is_in([OWN, POOLED]) & pl.col("is_open"))
        firms = plans.group_by("county", "uscc").agg(has_own=(pl.col("kind") == OWN).any())
        cells.count("M15-3", period, firms, None)
        cells.count("M15-3", period, firms.filter("has_own"), None, ("annuity", "own"))
        cells.count("M15-3", period, firms.filter(~pl.col("has_own")), None, ("annuity", "pooled"))


@computes("M15-1")
def annuity_coverage(cells: Cells, known: Known) -> None:
    """Reported members over high-skilled employed: where nine tenths of the members are told apart, and no more are."""
    for period in days("year"):
        plans = in_force(known, period.end).filter(pl.col("kind").is_in([OWN, POOLED]))
        said = pl.col("high") >= 0
        reported = (
            plans.join(members(period.end), on="county")
            .group_by("area_code")
            .agg(
                reported=pl.col("high").filter(said).sum(),
                told=pl.col("members").filter(said).sum(),
                members=pl.col("members").sum(),
            )
        )
        employed = at_work(known, period).filter("high").group_by("area_code").agg(denominator=pl.len())
        is_larger = pl.col("area_code").str.contains("^33..00$")
        frame = (
            members(period.end)
            .select("area_code")
            .unique()
            .filter(is_larger)
            .join(reported, on="area_code", how="left")
            .join(employed, on="area_code", how="left")
            .with_columns(pl.col("reported", "told", "members", "denominator").fill_null(0))
        )
        fits = (pl.col("told") * 10 >= pl.col("members") * 9) & (pl.col("reported") <= pl.col("denominator"))
        cells.add(
            "M15-1",
            period,
            frame.filter(pl.col("denominator") > 0).with_columns(
                numerator=pl.when(fits).then("reported"), n_persons="denominator"
            ),
            100,
        )
