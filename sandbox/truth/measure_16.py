"""Measure 16, state-owned enterprises."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.feeds.sasac.soe_payroll import NUMBERS, PROVINCE
from sandbox.truth.cells import Cells, members
from sandbox.truth.known import Known
from sandbox.truth.periods import days, periods
from sandbox.truth.registry import computes


def returns(known: Known) -> pl.DataFrame:
    """The returns of all years; a provincial enterprise is in no county."""
    own_level = areas.all_codes().index(areas.PROVINCE_OWN_LEVEL)
    is_provincial = pl.col("owner_level") == PROVINCE
    return known.accepted["sasac/soe_payroll"].with_columns(
        county=pl.when(is_provincial).then(own_level).otherwise("county").cast(pl.Int64)
    )


@computes("M16-1")
def skill_sequences(cells: Cells, known: Known) -> None:
    """Firms that pay by a sequence of skill posts, of those in scope."""
    in_scope = returns(known).filter("in_scope").with_columns(person="uscc")
    for period in days("year"):
        rows = in_scope.filter(pl.col("year") == str(period.end.year))
        cells.ratio("M16-1", period, rows, pl.col("has_skill_sequence"))
        for level in NUMBERS:
            part = rows.filter(pl.col("owner_level") == level)
            cells.ratio("M16-1", period, part, pl.col("has_skill_sequence"), ("owner_level", level))


def _paired(known: Known, year: int) -> pl.DataFrame:
    """Firms in the returns of a year and of the one before, in the county of the later one."""
    every = returns(known)
    amounts = ["wage_bill_cny", "average_staff", "high_skilled_wage_cny", "high_skilled_staff"]
    before = every.filter(pl.col("year") == str(year - 1)).select("uscc", *amounts)
    now = every.filter(pl.col("year") == str(year)).select("uscc", "owner_level", "county", *amounts)
    return now.join(before, on="uscc", suffix="_before")


@computes("M16-2a")
def returns_of_two_years(cells: Cells, known: Known) -> None:
    """Firms with a return of the year or the one before, the lost ones where they stood; nothing of the first year."""
    every = returns(known).select("uscc", "county", year=pl.col("year").cast(pl.Int64))
    years = periods("year")
    for period in years:
        if period.shifted(-12) not in years:
            cells.nothing_yet("M16-2a", period)
            continue
        now, before = (every.filter(pl.col("year") == year) for year in (period.end.year, period.end.year - 1))
        kept = pl.col("uscc").is_in(before["uscc"].implode())
        states = {
            "both": now.filter(kept),
            "new": now.filter(~kept),
            "lost": before.filter(~pl.col("uscc").is_in(now["uscc"].implode())),
        }
        cells.count("M16-2a", period, pl.concat(states.values()), None)
        for state, firms in states.items():
            cells.count("M16-2a", period, firms, None, ("return_state", state))


@computes("M16-2", "M16-3")
def growth_of_pay(cells: Cells, known: Known) -> None:
    """Growth of pay a head, and what of the increments went to high-skilled staff; years after the first."""
    for period in periods("year"):
        firms = _paired(known, period.end.year).join(members(period.end), on="county")
        levels = [(("owner_level", level), firms.filter(pl.col("owner_level") == level)) for level in NUMBERS]
        for breakdown, part in [(("total", "total"), firms), *levels]:
            sums = part.group_by("area_code").agg(pl.exclude("uscc", "owner_level", "county").sum())
            growth = sums.select(
                "area_code",
                numerator=_growth("high_skilled_wage_cny", "high_skilled_staff"),
                denominator=_growth("wage_bill_cny", "average_staff"),
                n_persons=pl.min_horizontal("high_skilled_staff", "high_skilled_staff_before"),
            ).with_columns(value=pl.col("numerator") - pl.col("denominator"))
            cells.add("M16-2", period, growth, breakdown=breakdown)
            increments = sums.select(
                "area_code",
                numerator=pl.col("high_skilled_wage_cny") - pl.col("high_skilled_wage_cny_before"),
                denominator=pl.col("wage_bill_cny") - pl.col("wage_bill_cny_before"),
                n_persons=None,
            )
            share = 100 * pl.col("numerator") / pl.col("denominator")
            frame = increments.with_columns(value=pl.when(pl.col("denominator") > 0).then(share))
            cells.add("M16-3", period, frame, breakdown=breakdown)


def _growth(amount: str, heads: str) -> pl.Expr:
    """Growth of the amount a head, in per cent."""
    before = pl.col(f"{amount}_before") / pl.col(f"{heads}_before")
    return 100 * (pl.col(amount) / pl.col(heads) / before - 1)
