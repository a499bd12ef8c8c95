"""先问先看: P, what a governor's office asks for first."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from sandbox import published_income
from sandbox.calendar import add_months
from sandbox.truth.cells import Cells, published_row
from sandbox.truth.cohorts import exits_of, leavers, quarters_of
from sandbox.truth.contribution_wages import wage_rows
from sandbox.truth.funds import public_budgets
from sandbox.truth.known import Known
from sandbox.truth.periods import HORIZON, Period, periods
from sandbox.truth.registry import computes


@computes("P-3")
def newly_skilled(cells: Cells, known: Known) -> None:
    """Persons by their first certificate, and by their first at a high level."""
    stood = known.certificates.filter(~(pl.col("is_revoked") & pl.col("revoked_on").is_null()))
    high = stood.filter(pl.col("certificate_type").is_in(["01", "02"]) & (pl.col("rank") >= 3))
    firsts = [
        (part, rows.sort("issued_on", "certificate_number").unique("person", keep="first", maintain_order=True))
        for part, rows in ((("total", "total"), stood), (("newly_high_skilled", "newly_high_skilled"), high))
    ]
    for period in periods("quarter", "ytd", "year"):
        for part, first in firsts:
            cells.count(
                "P-3", period, first.filter(pl.col("issued_on").is_between(period.start, period.end)), "person", part
            )


@computes("P-6")
def published_growth(cells: Cells, known: Known) -> None:
    """Growth of incomes as published, all residents, urban and rural."""
    parts = (("all", ("total", "total")), ("urban", ("residents", "urban")), ("rural", ("residents", "rural")))
    for delivery, rows in published_income.figures().items():
        year, quarter = int(delivery[:4]), int(delivery[5])
        start = date(year, 1, 1)
        period = Period("year" if quarter == 4 else "ytd", start, add_months(start, 3 * quarter) - timedelta(days=1))
        for row in rows:
            for name, part in parts:
                growth = row.get(f"growth_{name}", "")
                if growth and row["area_code"].isdigit() and row.get("definition") != "old_2013":
                    cells.add("P-6", period, published_row(row["area_code"], None, None, float(growth)), breakdown=part)


@computes("P-7")
def retained(cells: Cells, known: Known) -> None:
    """Paid by an employer of the second quarter after exit in the fourth too; once that has ended."""
    exits = exits_of(known.trainings, known.spells)
    for period in periods("quarter", "year"):
        if period.shifted(12).end > HORIZON:
            continue
        left = pl.concat([_paid(known, leavers(exits, quarter), quarter) for quarter in quarters_of(period)])
        stayed = pl.col("stayed")
        cells.ratio("P-7", period, left, stayed)
        for breakdown in ("at_entry", "completion"):
            for (value,), part in left.group_by(breakdown):
                cells.ratio("P-7", period, part, stayed, (breakdown, str(value)))


def _paid(known: Known, left: pl.DataFrame, quarter: Period) -> pl.DataFrame:
    """Of those who left in the quarter who has a wage in the second after, and whether an employer `stayed`."""
    second, fourth = (
        wage_rows(known.wages, quarter.shifted(months)).select("person", "employer").unique() for months in (6, 12)
    )
    both = second.join(fourth, on=["person", "employer"], how="semi")
    paid = left.join(second, on="person", how="semi")
    return paid.with_columns(stayed=pl.col("person").is_in(both["person"].unique().implode()))


@computes("P-9")
def budget_spent(cells: Cells, known: Known) -> None:
    """Spending of the public accounts over their budgets, years."""
    for period in periods("year"):
        rows = public_budgets(known, period)
        cells.quotient("P-9", period, rows, "spent", "budget")
        for (source,), part in rows.group_by("source"):
            cells.quotient("P-9", period, part, "spent", "budget", ("fund_source", str(source)))
