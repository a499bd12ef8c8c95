"""先问先看: P, what a governor's office asks for first."""

from __future__ import annotations

import re
from datetime import date, timedelta

import polars as pl

from sandbox import areas, published_employment, published_income
from sandbox.calendar import add_months
from sandbox.truth.cells import Cells, members, published_row
from sandbox.truth.cohorts import begun_at_work, exits_of, leavers, quarters_of
from sandbox.truth.contribution_wages import wage_rows
from sandbox.truth.funds import public_budgets
from sandbox.truth.known import Known
from sandbox.truth.measure_12 import KINDS
from sandbox.truth.periods import HORIZON, Period, days, periods
from sandbox.truth.registry import computes

PUBLISHED = {"高技能人才占技能人才比重": "P-2", "技能人才": "P-2a", "高技能人才": "P-2b"}
# The calendar of the marts begins here.
FIRST_YEAR = 2013


@computes(*PUBLISHED.values())
def published_skills(cells: Cells, known: Known) -> None:
    """Shares and totals as published, in per cent and 万人; none without a month, of a bound alone, or in conflict."""
    for row in published_employment.figures():
        is_dated = re.fullmatch(r"\d{4}-\d{2}", row["as_of_printed"]) and int(row["as_of"][:4]) >= FIRST_YEAR
        is_sure = row["is_conflicting"] == "否" and not row["value"].startswith("近")
        if row["item"] in PUBLISHED and is_dated and is_sure:
            day = date.fromisoformat(row["as_of"])
            ends_year = (day.month, day.day) == (12, 31)
            period = Period("year", date(day.year, 1, 1), day) if ends_year else Period("day", day, day)
            value = published_row(areas.PROVINCE, None, None, float(row["value"]))
            cells.add(PUBLISHED[row["item"]], period, value)


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


@computes("P-4")
def aimed_trainings(cells: Cells, known: Known) -> None:
    """Subsidised trainings in a priority field, and of the rest those whose trainee an enterprise employs."""
    in_field = pl.col("focus_sector").fill_null("") != ""
    at_enterprises = known.spells.filter(pl.col("employer_type") == "01")
    rest = known.subsidised.filter(~in_field)
    of_staff = begun_at_work(rest, at_enterprises)
    # of nobody's staff, and the field is not stated: of the sectors' records, which have none
    not_stated = rest.filter(pl.col("provider_type").is_null())
    unknown = not_stated.join(of_staff, on=["person", "start_date", "completion_date"], how="anti")
    of_all = known.subsidised.filter(in_field), of_staff, unknown
    for period in periods("quarter", "ytd", "year"):
        completed = pl.col("completion_date").is_between(period.start, period.end)
        field, staff, unstated = (rows.filter(completed) for rows in of_all)
        cells.count("P-4", period, pl.concat([field, staff]), "person")
        cells.count("P-4", period, field, "person", ("aimed_training", "priority_field"))
        cells.count("P-4", period, staff, "person", ("aimed_training", "other_staff"))
        cells.count("P-4", period, unstated, "person", ("field_unstated", "field_unstated"))


@computes("P-5", "P-5a")
def workshops(cells: Cells, known: Known) -> None:
    """Workshops that run by the period's own list, and the workers that they report."""
    running = known.accepted["organisation/prosperity_workshops"].filter("is_running")
    for period in days("quarter", "year"):
        listed = running.filter(pl.col("listed_on") == period.end)
        parts = [(("workshop_kind", KINDS[str(kind)]), rows) for (kind,), rows in listed.group_by("kind")]
        for part, rows in [(("total", "total"), listed), *parts]:
            cells.count("P-5", period, rows, None, part)
            workers = rows.join(members(period.end), on="county").group_by("area_code").agg(
                numerator=pl.col("workers").sum(), value=pl.col("workers").sum(), n_persons=pl.col("workers").sum()
            )  # fmt: skip
            cells.add("P-5a", period, workers.with_columns(denominator=pl.lit(None)), breakdown=part)


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
