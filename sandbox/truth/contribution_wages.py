"""Contribution wages of persons, and ratios of their medians."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sandbox.truth.cells import Cells, members
from sandbox.truth.known import RANK, Known
from sandbox.truth.parts import SEX, age_band
from sandbox.truth.periods import Period
from sandbox.truth.stocks import levels

FEWEST_OF_AN_INDUSTRY = 20


def wage_rows(folder: Path, period: Period) -> pl.DataFrame:
    """Normal pension rows of the period: person, employer, county, month, industry, cents, and what limits them."""
    first, last = f"{period.start:%Y%m}", f"{period.end:%Y%m}"
    files = sorted(path for path in folder.glob("*.parquet") if first <= path.stem <= last)
    return (
        pl.scan_parquet(files)
        .filter((pl.col("scheme") == "110") & (pl.col("payment_type") == "01"))
        .select("person", "employer", "wage_month", "industry", "cents", "base_limit", county="work")
        .collect()
    )


def wages_by_area(folder: Path, year: Period) -> pl.DataFrame:
    """area_code, person, wage (元 a month, mean over the months of the year with a row there)."""
    return (
        wage_rows(folder, year)
        .join(members(year.end), on="county")
        .group_by("area_code", "person")
        .agg(wage=pl.col("cents").sum() / pl.col("wage_month").n_unique() / 100)
    )


def wages_by_county(folder: Path, year: Period) -> pl.DataFrame:
    """county, person, wage as in `wages_by_area`, cents, the months, and the records, of which so many are floored."""
    return (
        wage_rows(folder, year)
        .group_by("county", "person")
        .agg(
            wage=pl.col("cents").sum() / pl.col("wage_month").n_unique() / 100,
            cents=pl.col("cents").sum(),
            months=pl.col("wage_month").unique(),
            records=pl.len(),
            floored=(pl.col("base_limit") == "2").sum(),
        )
    )


def person_wages(known: Known, period: Period) -> pl.DataFrame:
    """area_code, person, wage (元 a month, mean over months with a row there), and what is known of the person.

    That is rank and level on the first day, sex, age_band, and of the last month with a row there the industry and what
    limits the base (`0` nothing, `1` the cap, `2` the floor). Those without a level have no rank; the level is then
    `special_only` or `none`.
    """
    rows = wage_rows(known.wages, period).join(members(period.end), on="county")
    monthly = rows.group_by("area_code", "person").agg(
        wage=pl.col("cents").sum() / pl.col("wage_month").n_unique() / 100,
        industry=pl.col("industry").filter(pl.col("wage_month") == pl.col("wage_month").max()).max(),
        base_limit=pl.col("base_limit").filter(pl.col("wage_month") == pl.col("wage_month").max()).max(),
    )
    held = levels(known.certificates, period.start)
    persons = monthly.join(held, on="person", how="left").join(known.documents, on="person", how="left")
    return persons.with_columns(
        pl.col("level").fill_null("none"),
        sex=SEX,
        age_band=age_band(period.start.year - pl.col("birth_year")),
        rank=pl.col("level").replace_strict(RANK, default=None, return_dtype=pl.Int64),
    )


def median_ratio(
    cells: Cells,
    code: str,
    period: Period,
    wages: pl.DataFrame,
    upper: pl.Expr,
    lower: pl.Expr,
    breakdown: tuple[str, str] = ("total", "total"),
) -> None:
    wage = pl.col("wage")
    frame = wages.group_by("area_code").agg(
        numerator=wage.filter(upper).median(),
        denominator=wage.filter(lower).median(),
        n_persons=pl.min_horizontal(upper.sum(), lower.sum()),
    )
    cells.add(code, period, frame.filter(pl.col("n_persons") > 0), breakdown=breakdown)


def adjusted_for_industry(cells: Cells, code: str, period: Period, wages: pl.DataFrame) -> None:
    """The ratio of the medians of high and low levels, the latter weighted by the industries of the former."""
    sides = wages.filter(pl.col("rank").is_not_null()).with_columns(is_high=pl.col("rank") >= 3)
    there = pl.col("is_high").sum().over("area_code", "industry"), pl.len().over("area_code", "industry")
    kept = sides.with_columns(n_high=there[0], n_basic=there[1] - there[0]).filter(
        pl.min_horizontal("n_high", "n_basic") >= FEWEST_OF_AN_INDUSTRY
    )
    rows = []
    for (area,), of_area in kept.group_by("area_code"):
        high = of_area.filter("is_high")
        basic = of_area.filter(~pl.col("is_high"))
        medians = [
            _weighted_median(high["wage"], pl.repeat(1.0, len(high), eager=True)),
            _weighted_median(basic["wage"], basic["n_high"] / basic["n_basic"]),
        ]
        rows.append((area, *medians, min(len(high), len(basic))))
    frame = pl.DataFrame(rows, schema=["area_code", "numerator", "denominator", "n_persons"], orient="row")
    cells.add(code, period, frame, breakdown=("industry_adjusted", "industry_adjusted"))


def _weighted_median(values: pl.Series, weights: pl.Series) -> float:
    """The lowest value up to which half of the weight lies."""
    frame = pl.DataFrame({"value": values, "weight": weights}).sort("value")
    half = pl.col("weight").sum() / 2
    return float(frame.filter(pl.col("weight").cum_sum() >= half - 1e-6)["value"][0])
