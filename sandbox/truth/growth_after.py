"""How contribution wages grew in the two years after a course, or after the first certificate beside who is alike."""

from __future__ import annotations

from datetime import date

import polars as pl

from sandbox import areas
from sandbox.calendar import FIRST_WAGE_MONTH, add_months
from sandbox.truth.cells import Cells, members
from sandbox.truth.contribution_wages import wage_rows
from sandbox.truth.known import Known
from sandbox.truth.parts import URBAN_RURAL, age_band
from sandbox.truth.periods import HORIZON, Period, periods
from sandbox.truth.registry import computes

HORIZONS = (12, 24)
# Whom a person is compared with had at most a twentieth more or less.
CALIPER = 20
TOTAL, OVER_24 = ("total", "total"), ("horizon", "24")


@computes("G1-4")
def growth_after_training(cells: Cells, known: Known) -> None:
    """Median growth from the month of the start to so many months after that of the end: country less town."""
    for period in _closed(cells, "G1-4"):
        completed = known.trainings.filter(
            (pl.col("status") == "02") & pl.col("completion_date").is_between(period.start, period.end)
        )
        last = (
            completed.sort("completion_date", "enrollment_id")
            .unique("person", keep="last", maintain_order=True)
            .select(
                "person",
                "county",
                urban_rural=URBAN_RURAL,
                month=_month("start_date"),
                **{f"month_{months}": _month("completion_date", months) for months in HORIZONS},
            )
        )
        wages = _monthly(known, Period("span", FIRST_WAGE_MONTH, period.shifted(24).end))
        based = last.join(wages.rename({"cents": "base"}), on=["person", "month"])
        for months in HORIZONS:
            later = wages.rename({"cents": "after", "month": f"month_{months}"})
            both = based.join(later, on=["person", f"month_{months}"])
            medians = (
                both.filter(pl.col("base") > 0)
                .with_columns(growth=100 * (pl.col("after") / pl.col("base") - 1))
                .join(_cities_and_province(period), on="county")
                .group_by("area_code")
                .agg(
                    numerator=_of("2").median().round(4),
                    denominator=_of("1").median().round(4),
                    n_persons=pl.min_horizontal(_of("2").count(), _of("1").count()),
                )
            )
            _add(cells, "G1-4", period, medians, ("horizon", str(months)))


@computes("G3-4")
def growth_after_the_first_certificate(cells: Cells, known: Known) -> None:
    """Mean growth of those who got their first certificate, less that of everybody who was like them and got none."""
    for period in _closed(cells, "G3-4"):
        starts = [add_months(period.start, number) for number in range(12)]
        wages = wage_rows(known.wages, Period("span", period.start, period.shifted(24).end))
        matched = pl.concat([_matched(known, wages, month) for month in starts])
        placed = matched.join(_cities_and_province(period), on="county")
        for months in HORIZONS:
            _add(cells, "G3-4", period, _means(placed.filter(pl.col("months") == months)), ("horizon", str(months)))
        for (level,), part in placed.filter(pl.col("months") == HORIZONS[-1]).group_by("level"):
            _add(cells, "G3-4", period, _means(part), ("skill_level", str(level)))


def _closed(cells: Cells, code: str) -> list[Period]:
    """The years whose last month lies two years back; of the others nothing can be said yet."""
    years = periods("year")
    for period in years:
        if period.shifted(HORIZONS[-1]).end > HORIZON:
            cells.nothing_yet(code, period)
    return [period for period in years if period.shifted(HORIZONS[-1]).end <= HORIZON]


def _add(cells: Cells, code: str, period: Period, frame: pl.DataFrame, part: tuple[str, str]) -> None:
    """Add the difference of two growths; the total is what stands after the longest time."""
    difference = frame.with_columns(value=pl.col("numerator") - pl.col("denominator"))
    for breakdown in (part, TOTAL) if part == OVER_24 else (part,):
        cells.add(code, period, difference, breakdown=breakdown)


def _cities_and_province(period: Period) -> pl.DataFrame:
    served = [areas.PROVINCE, *areas.counties()["city_code"].unique()]
    return members(period.end).filter(pl.col("area_code").is_in(served))


def _of(urban_rural: str) -> pl.Expr:
    return pl.col("growth").filter(pl.col("urban_rural") == urban_rural)


def _month(day: str, later: int = 0) -> pl.Expr:
    return pl.col(day).dt.month_start().dt.offset_by(f"{later}mo").dt.strftime("%Y%m")


def _monthly(known: Known, span: Period) -> pl.DataFrame:
    """person, month, cents of all employers together."""
    rows = wage_rows(known.wages, span).rename({"wage_month": "month"})
    return rows.group_by("person", "month").agg(pl.col("cents").sum())


def _matched(known: Known, wages: pl.DataFrame, month: date) -> pl.DataFrame:
    """county, level, months, growth, of_comparable: a row of whoever was first certified in *month*, a horizon."""
    base_month, last_month = f"{month:%Y%m}", f"{add_months(month, HORIZONS[-1]):%Y%m}"
    annulled = pl.col("is_revoked") & pl.col("revoked_on").is_null()
    first = (
        known.certificates.filter(~annulled)
        .sort("issued_on", "certificate_number")
        .unique("person", keep="first", maintain_order=True)
        .select("person", "level_code", "rank", issued=pl.col("issued_on").dt.strftime("%Y%m"))
    )
    base = (
        wages.filter(pl.col("wage_month") == base_month)
        .sort("cents", "county", "industry", descending=[True, False, False])
        .group_by("person", maintain_order=True)
        .agg(pl.col("county", "industry").first(), base=pl.col("cents").sum())
        .filter(pl.col("base") > 0)
        .join(known.documents.drop_nulls("sex"), on="person")
        .with_columns(age=age_band(int(base_month[:4]) - pl.col("birth_year")))
        .filter(pl.col("age") != "unstated")
        .join(first, on="person", how="left")
    )
    got_it = pl.col("rank").is_not_null() & (pl.col("issued") == base_month)
    has_none = pl.col("issued").is_null() | (pl.col("issued") > last_month)
    found = []
    for months in HORIZONS:
        later = f"{add_months(month, months):%Y%m}"
        after = wages.filter(pl.col("wage_month") == later).group_by("person").agg(after=pl.col("cents").sum())
        growing = base.join(after, on="person").with_columns(growth=100 * (pl.col("after") / pl.col("base") - 1))
        alike = growing.filter(has_none).select("county", "industry", "sex", "age", near="base", of_one="growth")
        pairs = growing.filter(got_it).join(alike, on=["county", "industry", "sex", "age"])
        within = pairs.filter((pl.col("near") - pl.col("base")).abs() * CALIPER <= pl.col("base"))
        found.append(
            within.group_by("person", "county", "growth", level="level_code").agg(
                months=pl.lit(months), of_comparable=pl.col("of_one").mean()
            )
        )
    return pl.concat(found)


def _means(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("area_code").agg(
        numerator=pl.col("growth").mean().round(4),
        denominator=pl.col("of_comparable").mean().round(4),
        n_persons=pl.len(),
    )
