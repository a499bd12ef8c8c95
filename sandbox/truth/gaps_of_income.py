"""收入差距 beyond the levels: the Gini coefficient, and how the lowest wages grow beside all."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.truth.cells import Cells, members
from sandbox.truth.contribution_wages import wages_by_area, wages_by_county
from sandbox.truth.inequality import gini
from sandbox.truth.known import Known
from sandbox.truth.periods import Period, years_of_wages
from sandbox.truth.registry import computes

LARGEST_FLOORED_SHARE = 0.3


def _not_of_a_county() -> list[str]:
    return [*areas.all_codes()[len(areas.load().codes) :]]


@computes("G3-2")
def gini_of_wages(cells: Cells, known: Known) -> None:
    """Over the persons with wages in each area, years."""
    for period in years_of_wages():
        wages = wages_by_area(known.wages, period).filter(~pl.col("area_code").is_in(_not_of_a_county()))
        rows = [(area, gini(part["wage"]), len(part)) for (area,), part in wages.group_by("area_code")]
        frame = pl.DataFrame(rows, schema=["area_code", "value", "n_persons"], orient="row")
        cells.add("G3-2", period, frame.with_columns(numerator=pl.lit(None), denominator=pl.lit(None)))


@computes("G3-3")
def growth_of_the_lowest(cells: Cells, known: Known) -> None:
    """Growth of the mean of each year's own lowest 40 % less that of all; none without a whole year before."""
    years = years_of_wages()
    for period in years:
        before = period.shifted(-12)
        if before not in years:
            cells.nothing_yet("G3-3", period)
            continue
        now, then = (_means(known, period, year) for year in (period, before))
        both = now.join(then, on="area_code", suffix="_before")
        applies = pl.max_horizontal("floored", "floored_before") <= LARGEST_FLOORED_SHARE
        lowest, everybody = (100 * (pl.col(name) / pl.col(f"{name}_before") - 1) for name in ("lowest", "mean"))
        frame = both.select(
            "area_code",
            numerator=pl.when(applies).then(lowest),
            denominator=pl.when(applies).then(everybody),
            n_persons=pl.min_horizontal("n_lowest", "n_lowest_before"),
        )
        difference = pl.col("numerator").round(4) - pl.col("denominator").round(4)
        cells.add("G3-3", period, frame.with_columns(value=difference))


def _means(known: Known, period: Period, year: Period) -> pl.DataFrame:
    """Mean wage of all and of the lowest 40 % in a year, and the share of the latter's records on the floor."""
    wages = (
        wages_by_county(known.wages, year)
        .join(members(period.end), on="county")
        .group_by("area_code", "person")
        .agg(pl.col("cents", "records", "floored").sum(), months=pl.col("months").list.explode().n_unique())
        .with_columns(wage=pl.col("cents") / pl.col("months") / 100)
        .sort("wage", "floored", "records", descending=[False, True, False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1).over("area_code"), size=pl.len().over("area_code"))
    )
    low = pl.col("rank") * 10 <= pl.col("size") * 4
    return (
        wages.group_by("area_code")
        .agg(
            mean=pl.col("wage").mean(),
            lowest=pl.col("wage").filter(low).mean(),
            n_lowest=low.sum(),
            floored_records=pl.col("floored").filter(low).sum(),
            low_records=pl.col("records").filter(low).sum(),
        )
        .with_columns(floored=pl.col("floored_records") / pl.col("low_records"))
        .filter(pl.col("n_lowest") > 0)
    )


@computes("G3-3a")
def lowest_on_the_floor(cells: Cells, known: Known) -> None:
    """Of the records of the lowest 40 % of a year those on the floor."""
    for period in years_of_wages():
        frame = _means(known, period, period).select(
            "area_code", numerator="floored_records", denominator="low_records", n_persons="n_lowest"
        )
        cells.add("G3-3a", period, frame, 100)
