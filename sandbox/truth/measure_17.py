"""Measure 17, loans and insurance for skilled workers."""

from __future__ import annotations

import polars as pl

from sandbox.feeds.finance_regulator.skill_finance import INSURANCE, KINDS_OF_BORROWER, LOAN
from sandbox.truth.cells import Cells, members
from sandbox.truth.known import Known
from sandbox.truth.periods import Period, days
from sandbox.truth.registry import computes


@computes("M17-1", "M17-1a", "M17-3")
def skill_finance(cells: Cells, known: Known) -> None:
    """What the institutions report at the end of the period, summed."""
    stocks = known.accepted["finance_regulator/skill_finance"].with_columns(
        county=pl.col("county").cast(pl.Int64),
        balance_10k=pl.col("balance_hundreds") / 100,
        bad_10k=pl.col("npl_hundreds") / 100,
    )
    for period in days("month", "quarter", "year"):
        now = stocks.filter(pl.col("month") == period.end.replace(day=1))
        loans = now.filter(pl.col("product") == LOAN)
        _sum("M17-1", cells, period, loans, "balance_10k", "borrowers")
        cells.quotient("M17-1a", period, loans, "bad_10k", "balance_10k")
        for kind in KINDS_OF_BORROWER.tolist():
            part = loans.filter(pl.col("borrower_kind") == kind)
            _sum("M17-1", cells, period, part, "balance_10k", "borrowers", ("borrower_kind", kind))
            cells.quotient("M17-1a", period, part, "bad_10k", "balance_10k", ("borrower_kind", kind))
        if period.kind != "month":
            insured = now.filter(pl.col("product") == INSURANCE)
            _sum("M17-3", cells, period, insured, "insured_persons", "insured_persons")


def _sum(
    code: str,
    cells: Cells,
    period: Period,
    rows: pl.DataFrame,
    column: str,
    persons: str,
    breakdown: tuple[str, str] = ("total", "total"),
) -> None:
    spread = rows.join(members(period.end), on="county").group_by("area_code")
    frame = spread.agg(numerator=pl.col(column).sum(), n_persons=pl.col(persons).sum())
    cells.add(code, period, frame.with_columns(denominator=pl.lit(None), value="numerator"), breakdown=breakdown)


@computes("M17-2")
def loan_reach(cells: Cells, known: Known) -> None:
    """Of nobody: the institutions send no persons."""
    nothing = {name: pl.lit(None) for name in ("numerator", "denominator", "n_persons")}
    for period in days("quarter", "year"):
        cells.add("M17-2", period, members(period.end).select("area_code").unique().with_columns(**nothing))
