"""技能成才: M21."""

from __future__ import annotations

from datetime import date

import polars as pl

from sandbox import areas
from sandbox.truth.cells import Cells, published_row
from sandbox.truth.known import Known
from sandbox.truth.periods import Period, days
from sandbox.truth.registry import computes
from sandbox.truth.stocks import at_work, certified_share

PUBLISHED_SHARE = 34.6


@computes("M21-1", "M21-2")
def certified_at_work(cells: Cells, known: Known) -> None:
    """Certified among those at work, and of high levels among these; quarters and years."""
    for period in days("quarter", "year"):
        persons = at_work(known, period)
        cells.add("M21-1", period, certified_share(persons), 100)
        holders = (
            persons.filter("certified")
            .group_by("area_code")
            .agg(numerator=pl.col("high").sum(), denominator=pl.len(), n_persons=pl.len())
        )
        cells.add("M21-2", period, holders, 100)


@computes("M21-5")
def published_share(cells: Cells, known: Known) -> None:
    """As published, for the end of August 2025."""
    day = Period("day", date(2025, 8, 31), date(2025, 8, 31))
    cells.add("M21-5", day, published_row(areas.PROVINCE, None, None, PUBLISHED_SHARE))
