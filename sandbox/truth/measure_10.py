"""Measure 10, 技能随企出海: M10."""

from __future__ import annotations

import polars as pl

from sandbox.calendar import OPENING_DAY, years
from sandbox.truth.cells import Cells, members
from sandbox.truth.known import Known
from sandbox.truth.periods import Period
from sandbox.truth.registry import computes


def reported(cells: Cells, code: str, period: Period, rows: pl.DataFrame, part: tuple[str, str] | None = None) -> None:
    """The sum of `times` in every area; what was reported names no persons."""
    frame = rows.join(members(period.end), on="county").group_by("area_code").agg(numerator=pl.col("times").sum())
    counted = frame.filter(pl.col("numerator") > 0).with_columns(
        denominator=pl.lit(None), value="numerator", n_persons=pl.lit(None, pl.Int64)
    )
    cells.add(code, period, counted, breakdown=part or ("total", "total"))


@computes("M10-1", "M10-2")
def programmes_abroad(cells: Cells, known: Known) -> None:
    """What enterprises report for a year; certificates that were not counted add nothing."""
    every = known.accepted["hrss/overseas_programmes"]
    # a year's list speaks of the whole year, that of 2024 too
    for span in years(OPENING_DAY):
        period = Period("year", span.first, span.last)
        year = every.filter(pl.col("year") == period.end.year)
        trained, assessed = (year.with_columns(times=name) for name in ("trained", "assessed"))
        both = pl.concat([trained, assessed])
        reported(cells, "M10-1", period, both)
        reported(cells, "M10-1", period, trained, ("skill_service", "training"))
        reported(cells, "M10-1", period, assessed, ("skill_service", "assessment"))
        local = pl.col("staff") == "当地员工"
        reported(cells, "M10-1", period, both.filter(local), ("overseas_staff", "local"))
        reported(cells, "M10-1", period, both.filter(~local), ("overseas_staff", "sent"))
        reported(cells, "M10-2", period, year.filter(pl.col("certificates") > 0).with_columns(times="certificates"))
