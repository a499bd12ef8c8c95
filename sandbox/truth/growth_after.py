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


@computes("G1-4", "G1-4a")
def growth_after_training(cells: Cells, known: Known) -> None:
    """Median growth from the month of the start to so many months after that of the end: country less town.

    Beside it the share of these persons whose base was capped in neither month.
    """
    for period in _closed(cells, "G1-4", "G1-4a"):
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
        based = last.join(wages.rename({"cents": "base", "capped": "capped_at_start"}), on=["person", "month"])
        for months in HORIZONS:
            later = wages.rename({"cents": "after", "month": f"month_{months}"})
            both = based.join(later, on=["person", f"month_{months}"])
            followed = (
                both.filter(pl.col("base") > 0)
                .with_columns(growth=100 * (pl.col("after") / pl.col("base") - 1))
                .join(_cities_and_province(period), on="county")
            )
            medians = followed.group_by("area_code").agg(
                numerator=_of("2").median().round(4),
                denominator=_of("1").median().round(4),
                n_persons=pl.min_horizontal(_of("2").count(), _of("1").count()),
            )
            _add(cells, "G1-4", period, _difference(medians), ("horizon", str(months)))
            uncapped = (
                followed.filter(pl.col("urban_rural").is_in(["1", "2"]))
                .group_by("area_code")
                .agg(
                    numerator=(~pl.col("capped_at_start") & ~pl.col("capped")).sum(),
                    denominator=pl.len(),
                    n_persons=pl.len(),
                )
            )
            _add(cells, "G1-4a", period, uncapped, ("horizon", str(months)))


@computes("G3-4", "G3-4a", "G3-4b")
def growth_after_the_first_certificate(cells: Cells, known: Known) -> None:
    """Mean growth of those who got their first certificate, less that of everybody who was like them and got none.

    Beside it how many of them there was somebody like, and how alike the wages of both had been.
    """
    for period in _closed(cells, "G3-4", "G3-4a", "G3-4b"):
        starts = [add_months(period.start, number) for number in range(12)]
        wages = wage_rows(known.wages, Period("span", period.start, period.shifted(24).end))
        certified = pl.concat([_certified(known, wages, month) for month in starts])
        placed = certified.join(_cities_and_province(period), on="county")
        for months in HORIZONS:
            _add_growth(cells, period, placed.filter(pl.col("months") == months), ("horizon", str(months)))
        for (level,), part in placed.filter(pl.col("months") == HORIZONS[-1]).group_by("level"):
            _add_growth(cells, period, part, ("skill_level", str(level)))


def _closed(cells: Cells, *codes: str) -> list[Period]:
    """The years whose last month lies two years back; of the others nothing can be said yet."""
    years = periods("year")
    for period in years:
        if period.shifted(HORIZONS[-1]).end > HORIZON:
            for code in codes:
                cells.nothing_yet(code, period)
    return [period for period in years if period.shifted(HORIZONS[-1]).end <= HORIZON]


def _add(cells: Cells, code: str, period: Period, frame: pl.DataFrame, part: tuple[str, str]) -> None:
    """Add a part, in per cent; the total is what stands after the longest time."""
    for breakdown in (part, TOTAL) if part == OVER_24 else (part,):
        cells.add(code, period, frame, 100, breakdown)


def _add_growth(cells: Cells, period: Period, certified: pl.DataFrame, part: tuple[str, str]) -> None:
    """Add how the wages of the matched grew, how many of all they are, and how alike the wages had been."""
    matched = certified.filter(pl.col("of_comparable").is_not_null())
    _add(cells, "G3-4", period, _difference(_means(matched)), part)
    found = certified.group_by("area_code").agg(
        numerator=pl.col("of_comparable").count(), denominator=pl.len(), n_persons=pl.len()
    )
    _add(cells, "G3-4a", period, found, part)
    bases = matched.group_by("area_code").agg(
        numerator=pl.col("base").sum() / 100, denominator=pl.col("near").sum() / 100, n_persons=pl.len()
    )
    _add(cells, "G3-4b", period, bases, part)


def _difference(growths: pl.DataFrame) -> pl.DataFrame:
    """The frame with its value: the first of two growths less the second."""
    return growths.with_columns(value=pl.col("numerator") - pl.col("denominator"))


def _cities_and_province(period: Period) -> pl.DataFrame:
    served = [areas.PROVINCE, *areas.counties()["city_code"].unique()]
    return members(period.end).filter(pl.col("area_code").is_in(served))


def _of(urban_rural: str) -> pl.Expr:
    return pl.col("growth").filter(pl.col("urban_rural") == urban_rural)


def _month(day: str, later: int = 0) -> pl.Expr:
    return pl.col(day).dt.month_start().dt.offset_by(f"{later}mo").dt.strftime("%Y%m")


def _monthly(known: Known, span: Period) -> pl.DataFrame:
    """person, month, cents of all employers together, and whether any of them is capped."""
    rows = wage_rows(known.wages, span).rename({"wage_month": "month"})
    return rows.group_by("person", "month").agg(pl.col("cents").sum(), capped=(pl.col("base_limit") == "1").any())


def _certified(known: Known, wages: pl.DataFrame, month: date) -> pl.DataFrame:
    """county, level, months, base, growth, near, of_comparable: a row of a person first certified then and horizon.

    `near` and `of_comparable` are the mean base and the mean growth of those who are alike; null where nobody is.
    """
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
        .join(known.documents, on="person", how="left")
        .with_columns(age=age_band(int(base_month[:4]) - pl.col("birth_year")))
        .join(first, on="person", how="left")
    )
    got_it = pl.col("rank").is_not_null() & (pl.col("issued") == base_month)
    has_none = pl.col("issued").is_null() | (pl.col("issued") > last_month)
    found = []
    for months in HORIZONS:
        later = f"{add_months(month, months):%Y%m}"
        after = wages.filter(pl.col("wage_month") == later).group_by("person").agg(after=pl.col("cents").sum())
        growing = base.join(after, on="person").with_columns(growth=100 * (pl.col("after") / pl.col("base") - 1))
        known_to_be = has_none & pl.col("sex").is_not_null() & (pl.col("age") != "unstated")
        alike = growing.filter(known_to_be).select("county", "industry", "sex", "age", near="base", of_one="growth")
        certified = growing.filter(got_it)
        pairs = certified.join(alike, on=["county", "industry", "sex", "age"])
        within = pairs.filter((pl.col("near") - pl.col("base")).abs() * CALIPER <= pl.col("base"))
        means = within.group_by("person").agg(pl.col("near").mean(), of_comparable=pl.col("of_one").mean())
        found.append(
            certified.join(means, on="person", how="left").select(
                "county", "base", "growth", "near", "of_comparable", level="level_code", months=pl.lit(months)
            )
        )
    return pl.concat(found)


def _means(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("area_code").agg(
        numerator=pl.col("growth").mean().round(4),
        denominator=pl.col("of_comparable").mean().round(4),
        n_persons=pl.len(),
    )
