"""Measure 13, 职业院校服务乡村: M13."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.truth.cells import Cells, members
from sandbox.truth.known import Known
from sandbox.truth.periods import Period, periods, years_of_terms
from sandbox.truth.registry import computes
from sandbox.truth.rosters import in_force


def heads(
    cells: Cells, code: str, period: Period, rows: pl.DataFrame, part: tuple[str, str] = ("total", "total")
) -> None:
    """The sum of `heads` in every area; as many persons at most stand behind it."""
    frame = rows.join(members(period.end), on="county").group_by("area_code").agg(numerator=pl.col("heads").sum())
    counted = frame.filter(pl.col("numerator") > 0)
    count = pl.col("numerator")
    cells.add(
        code, period, counted.with_columns(denominator=pl.lit(None), value=count, n_persons=count), breakdown=part
    )


@computes("M13-1")
def teaching(cells: Cells, known: Known) -> None:
    """Participants as they are said: 近 is the next ten, 余 the ten before."""
    said = pl.col("participants")
    nearly, and_some = pl.col("bound") == "近", (pl.col("bound") == "余") & (said >= 10)
    activities = known.accepted["education/rural_teaching"].filter(
        (pl.col("activity_kind") == "01") & pl.col("provider_type").is_in(["01", "02"])
    )
    activities = activities.with_columns(
        heads=pl.when(nearly).then((said // 10 + 1) * 10).when(and_some).then(said // 10 * 10).otherwise(said),
        is_exact=~(nearly | and_some),
    )
    for period in periods("year"):
        held = activities.filter(pl.col("held_on").is_between(period.start, period.end))
        heads(cells, "M13-1", period, held)
        said_numbers = Cells()
        heads(said_numbers, "M13-1", period, held.filter("is_exact"), ("said_number", "exact"))
        heads(said_numbers, "M13-1", period, held.filter(~pl.col("is_exact")), ("said_number", "bounded"))
        cells.take(said_numbers, pl.col("area_code") == areas.PROVINCE)


@computes("M13-2")
def rural_specialties(cells: Cells, known: Known) -> None:
    """Specialties that serve rural industries, each of a school once."""
    for period in years_of_terms():
        listed = known.accepted["education/vocational_programmes"].filter(
            in_force(period.end, "opened_on", "closed_on")
        )
        cells.count("M13-2", period, listed.filter("rural_industry").unique(["school_code", "programme_code"]), None)


@computes("M13-3")
def contests(cells: Cells, known: Known) -> None:
    """Entries of teachers and of students."""
    held = known.accepted["education/rural_teaching"].filter(pl.col("activity_kind") == "02")
    for period in periods("year"):
        rows = held.filter(pl.col("held_on").is_between(period.start, period.end))
        teachers, students = (rows.with_columns(heads=f"{who}_entries") for who in ("teacher", "student"))
        heads(cells, "M13-3", period, pl.concat([teachers, students]))
        heads(cells, "M13-3", period, teachers, ("entrant", "teacher"))
        heads(cells, "M13-3", period, students, ("entrant", "student"))
