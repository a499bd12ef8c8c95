"""技能提薪: M14."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.truth.cells import Cells
from sandbox.truth.contribution_wages import adjusted_for_industry, median_ratio, person_wages
from sandbox.truth.known import Known
from sandbox.truth.periods import periods
from sandbox.truth.registry import computes


@computes("M14-2")
def high_over_low(cells: Cells, known: Known) -> None:
    """Median wage of the high levels over that of the low ones, years."""
    for period in periods("year"):
        wages = person_wages(known, period)
        high, basic = pl.col("rank") >= 3, pl.col("rank").is_in([1, 2])
        median_ratio(cells, "M14-2", period, wages, high, basic)
        for name in ("sex", "age_band"):
            for (value,), part in wages.group_by(name):
                median_ratio(cells, "M14-2", period, part, high, basic, (name, str(value)))
        adjusted_for_industry(cells, "M14-2", period, wages)


@computes("M14-2a")
def capped_and_floored(cells: Cells, known: Known) -> None:
    """Persons whose base of the latest month is capped or floored, years; of both groups of levels as well."""
    limit, rank = pl.col("base_limit"), pl.col("rank")
    for period in periods("year"):
        wages = person_wages(known, period)
        parts = {
            ("total", "total"): (wages, limit != "0"),
            ("base_limit", "capped"): (wages, limit == "1"),
            ("base_limit", "floored"): (wages, limit == "2"),
            ("level_group", "high"): (wages.filter(rank >= 3), limit != "0"),
            ("level_group", "basic"): (wages.filter(rank <= 2), limit != "0"),
        }
        for breakdown, (persons, is_limited) in parts.items():
            frame = persons.group_by("area_code").agg(
                numerator=is_limited.sum(), denominator=pl.len(), n_persons=pl.len()
            )
            cells.add("M14-2a", period, frame, 100, breakdown)


@computes("M14-4")
def median_by_level(cells: Cells, known: Known) -> None:
    """Median wage by level and by sex, quarters and years."""
    nothing = {"numerator": pl.lit(None), "denominator": pl.lit(None)}
    for period in periods("quarter", "year"):
        wages = person_wages(known, period)
        parts = [(("skill_level", str(level)), part) for (level,), part in wages.group_by("level")]
        parts += [(("sex", str(sex)), part) for (sex,), part in wages.group_by("sex")]
        for breakdown, part in parts:
            # The two highest levels stand for the province only.
            there = part.filter(pl.col("area_code") == areas.PROVINCE) if breakdown[1] in ("T", "S") else part
            frame = there.group_by("area_code").agg(value=pl.col("wage").median(), n_persons=pl.len())
            cells.add("M14-4", period, frame.with_columns(**nothing), breakdown=breakdown)
