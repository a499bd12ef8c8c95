"""Measure 14, pay by skill grade: agreements, whom they cover, and growth of wages."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.feeds.union.collective_agreements import ENTERPRISE, REGIONAL, SECTORAL
from sandbox.truth.cells import Cells, members
from sandbox.truth.contribution_wages import wage_rows
from sandbox.truth.known import Known
from sandbox.truth.periods import Period, days, periods
from sandbox.truth.registry import computes
from sandbox.truth.stocks import levels

SCOPES = {ENTERPRISE: "enterprise", REGIONAL: "regional", SECTORAL: "sectoral"}


@computes("M14-5")
def regional_agreements(cells: Cells, known: Known) -> None:
    """Agreements in force on the last day of the year; of a whole city in the city's own level."""
    place = pl.col("filing_area_code")
    own_level = pl.concat_str(place.str.slice(0, 4), pl.lit("99"))
    agreements = (
        known.accepted["union/collective_agreements"]
        .filter(pl.col("scope").is_in([REGIONAL, SECTORAL]))
        .unique("number")
        .with_columns(county=areas.index_of(pl.when(place.str.ends_with("00")).then(own_level).otherwise(place)))
    )
    for period in days("year"):
        rows = agreements.filter(pl.lit(period.end).is_between("valid_from", "valid_until"))
        cells.count("M14-5", period, rows, None)
        for scope, name in ((REGIONAL, "regional"), (SECTORAL, "sectoral")):
            cells.count("M14-5", period, rows.filter(pl.col("scope") == scope), None, ("agreement_scope", name))


@computes("M14-1")
def skill_grade_coverage(cells: Cells, known: Known) -> None:
    """Insured employees of enterprises that stand in a skill-grade agreement in force, of all of them."""
    agreements = known.accepted["union/collective_agreements"].filter("is_skill_grade")
    posts = known.spells.filter(pl.col("is_insured") & (pl.col("employer_type") == "01"))
    for period in days("year"):
        day = pl.lit(period.end)
        scopes = (
            agreements.filter(day.is_between("valid_from", "valid_until"))
            .group_by("uscc")
            .agg((pl.col("scope") == scope).any().alias(name) for scope, name in SCOPES.items())
        )
        working = posts.filter(
            (pl.col("start_date") <= day) & (pl.col("end_date").is_null() | (pl.col("end_date") >= day))
        ).join(scopes, on="uscc", how="left")
        persons = (
            working.with_columns(total=pl.col("enterprise").is_not_null())
            .join(members(period.end), on="county")
            .group_by("area_code", "person")
            .agg(pl.col("total", *SCOPES.values()).fill_null(value=False).any())
        )
        for name in ("total", *SCOPES.values()):
            frame = persons.group_by("area_code").agg(
                numerator=pl.col(name).sum(), denominator=pl.len(), n_persons=pl.len()
            )
            breakdown = ("total", "total") if name == "total" else ("agreement_scope_of_firm", name)
            cells.add("M14-1", period, frame, 100, breakdown)


@computes("M14-3")
def growth_of_wages(cells: Cells, known: Known) -> None:
    """Growth of the mean wage of the holders of 1 January minus that of all; nothing while there is no year before."""
    years = periods("year")
    for period in years:
        year_before = period.shifted(-12)
        # Wages are known a year longer than certificates, and the year before has to be covered by both.
        if year_before not in years:
            nothing = {name: pl.lit(None) for name in ("numerator", "denominator", "n_persons", "value")}
            cells.add("M14-3", period, members(period.end).select("area_code").unique().with_columns(**nothing))
            continue
        held = levels(known.certificates, period.start).select("person", is_certified=pl.lit(value=True))
        wages_before = _mean_wages(known, year_before, period, "before")
        wages = (
            _mean_wages(known, period, period, "now")
            .join(wages_before, on=["area_code", "person"], how="full", coalesce=True)
            .join(held, on="person", how="left")
        )
        in_both = wages.filter(pl.col("now").is_not_null() & pl.col("before").is_not_null())
        certified = pl.col("is_certified").fill_null(value=False)
        now, before = pl.col("now"), pl.col("before")
        for breakdown, persons in ((("total", "total"), wages), (("panel", "panel"), in_both)):
            growth = persons.group_by("area_code").agg(
                numerator=_growth(now.filter(certified), before.filter(certified)),
                denominator=_growth(now, before),
                n_persons=pl.min_horizontal(now.filter(certified).count(), before.filter(certified).count()),
            )
            frame = growth.with_columns(value=pl.col("numerator") - pl.col("denominator"))
            cells.add("M14-3", period, frame, breakdown=breakdown)


def _growth(now: pl.Expr, before: pl.Expr) -> pl.Expr:
    """Of the mean, in per cent."""
    return 100 * (now.mean() / before.mean() - 1)


def _mean_wages(known: Known, period: Period, as_of: Period, name: str) -> pl.DataFrame:
    """area_code, person and the mean wage of a month of `period`, by the areas of `as_of`."""
    rows = wage_rows(known.wages, period).join(members(as_of.end), on="county")
    mean = pl.col("cents").sum() / pl.col("wage_month").n_unique() / 100
    return rows.group_by("area_code", "person").agg(mean.alias(name))
