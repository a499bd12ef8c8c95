"""Measure 5: directories of what to train for and of who may train; how much of what is sent is right at first."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.calendar import add_months
from sandbox.truth.cells import Cells, published_row
from sandbox.truth.counties import one_a_county, with_own_or_citys
from sandbox.truth.known import Known
from sandbox.truth.periods import days, periods
from sandbox.truth.registry import computes

DIRECTORIES = {"M05-4": "01", "M05-5": "02"}


@computes("M05-4", "M05-5")
def directories(cells: Cells, known: Known) -> None:
    """Counties with a directory in force that is no older than a year."""
    entries = known.accepted["hrss/training_directories"]
    for period in days("quarter", "year"):
        a_year_before = add_months(period.end, -11)
        by_then = entries.filter(pl.col("valid_from") <= period.end)
        lists = by_then.group_by("directory_kind", "directory_id", "area_code").agg(
            is_in_force=(pl.col("valid_until").is_null() | (pl.col("valid_until") >= period.end)).any(),
            is_recent=(pl.col("revised_on") >= a_year_before).any(),
        )
        issued = lists.filter("is_in_force", "is_recent")
        for code, kind in DIRECTORIES.items():
            own = issued.filter(pl.col("directory_kind") == kind)["area_code"]
            cells.ratio(code, period, with_own_or_citys(one_a_county(), own), pl.col("has"))


@computes("M05-2")
def first_submissions(cells: Cells, known: Known) -> None:
    """Records accepted over records received, of deliveries whose period ends in the period: the province, by feed."""
    for period in periods("month", "quarter", "ytd", "year"):
        ended = known.submitted.filter(pl.col("delivery_end").is_between(period.start, period.end))
        by_feed = ended.group_by("feed").agg(pl.col("rows_accepted", "rows_received").sum())
        parts = [("total", "total", ended.select(pl.col("rows_accepted", "rows_received").sum()).row(0))]
        parts += [("feed", feed, (accepted, received)) for feed, accepted, received in by_feed.iter_rows()]
        for breakdown, value, (accepted, received) in parts:
            if received:
                row = published_row(areas.PROVINCE, accepted, received, 100 * accepted / received)
                cells.add("M05-2", period, row, breakdown=(breakdown, value))
