"""技能成才: M21."""

from __future__ import annotations

from datetime import date

import polars as pl

from sandbox import areas
from sandbox.truth.cells import Cells, published_row
from sandbox.truth.known import LABEL, Known
from sandbox.truth.periods import Period, days
from sandbox.truth.registry import computes
from sandbox.truth.stocks import at_work, certified_share

PUBLISHED_SHARE = 34.6


@computes("M21-1", "M21-2")
def certified_at_work(cells: Cells, known: Known) -> None:
    """Certified among those at work, and of high levels among the holders of one; quarters and years."""
    for period in days("quarter", "year"):
        persons = at_work(known, period)
        cells.add("M21-1", period, certified_share(persons), 100)
        for name in ("sex", "age_band", "urban_rural"):
            for (value,), part in persons.group_by(name):
                cells.add("M21-1", period, certified_share(part), 100, (name, str(value)))
        for level in [*LABEL.values(), "special_only", "none"]:
            at_level = pl.col("skill_level") == level
            frame = persons.group_by("area_code").agg(
                numerator=at_level.sum(), denominator=pl.len(), n_persons=pl.len()
            )
            cells.add("M21-1", period, frame, 100, ("highest_level", level))
        holders = persons.filter("levelled")
        cells.add("M21-2", period, _high_share(holders), 100)
        for (sex,), part in holders.group_by("sex"):
            cells.add("M21-2", period, _high_share(part), 100, ("sex", str(sex)))


def _high_share(holders: pl.DataFrame) -> pl.DataFrame:
    return holders.group_by("area_code").agg(numerator=pl.col("high").sum(), denominator=pl.len(), n_persons=pl.len())


@computes("M21-5")
def published_share(cells: Cells, known: Known) -> None:
    """As published, for the end of August 2025."""
    day = Period("day", date(2025, 8, 31), date(2025, 8, 31))
    cells.add("M21-5", day, published_row(areas.PROVINCE, None, None, PUBLISHED_SHARE))
