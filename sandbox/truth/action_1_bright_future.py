"""技能照亮前程: M01."""

from __future__ import annotations

import polars as pl

from sandbox.truth.cells import Cells
from sandbox.truth.cohorts import exits_of, overlaps, with_entry
from sandbox.truth.known import Known
from sandbox.truth.periods import HORIZON, Period, periods
from sandbox.truth.registry import computes


@computes("M01-1")
def found_work(cells: Cells, known: Known) -> None:
    """Of those without work before: the share at work in the sixth month after; quarters that have matured."""
    for period in periods("quarter"):
        if period.shifted(6).end > HORIZON:
            continue
        exits = with_entry(known.completed, known.spells, period)
        month = pl.col("completion_date").dt.month_start().dt.offset_by("6mo")
        found = overlaps(exits, known.spells, month, month.dt.month_end())
        cells.ratio("M01-1", period, exits.with_columns(found=found).filter(~pl.col("at_entry")), pl.col("found"))


@computes("M01-2")
def certified(cells: Cells, known: Known) -> None:
    """Certified within six months; quarters that have matured."""
    ever_valid = known.certificates.filter(~(pl.col("is_revoked") & pl.col("revoked_on").is_null()))
    for period in periods("quarter"):
        if period.shifted(6).end > HORIZON:
            continue
        _certified(cells, period, known.completed, ever_valid)


def _certified(cells: Cells, period: Period, completed: pl.DataFrame, ever_valid: pl.DataFrame) -> None:
    exits = exits_of(completed.filter("ends_in_assessment"), period)
    joined = exits.select("enrollment_id", "person", "completion_date", trained="occupation_code").join(
        ever_valid.select("person", "issued_on", certified="occupation_code"), on="person"
    )
    in_time = (pl.col("issued_on") >= pl.col("completion_date")) & (
        pl.col("issued_on") <= pl.col("completion_date").dt.offset_by("6mo")
    )
    fits = (pl.col("trained") == "") | pl.col("certified").is_null() | (pl.col("trained") == pl.col("certified"))
    hit = joined.filter(in_time & fits)["enrollment_id"]
    cells.ratio("M01-2", period, exits, pl.col("enrollment_id").is_in(hit.implode()))


@computes("M01-3", "M01-5")
def trainings(cells: Cells, known: Known) -> None:
    """Completed trainings, and the share of those for priority groups."""
    for kind in ("month", "quarter", "ytd", "year"):
        for period in periods(kind):
            rows = known.completed.filter(pl.col("completion_date").is_between(period.start, period.end))
            cells.count("M01-3", period, rows, "person")
            for group in ("01", "02", "03", "04", "05"):
                part = rows.filter(pl.col("priority_groups").str.contains(group, literal=True))
                cells.count("M01-3", period, part, "person", ("priority_group", group))
            prior = pl.col("priority_groups") != ""
            cells.ratio("M01-5", period, rows, prior)
            for (sector,), part in rows.filter(pl.col("focus_sector") != "").group_by("focus_sector"):
                cells.ratio("M01-5", period, part, prior, ("focus_sector", str(sector)))
