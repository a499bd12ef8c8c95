"""大学生培训: M04."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.feeds.hrss import technician_schools
from sandbox.truth.cells import Cells, members
from sandbox.truth.cohorts import completers, found_work, quarters_of
from sandbox.truth.known import Known
from sandbox.truth.parts import SEX
from sandbox.truth.periods import HORIZON, Period, periods
from sandbox.truth.registry import computes

# Since this month an enrolment is one of the autumn term.
AUTUMN = 7


@computes("M04-1")
def graduates(cells: Cells, known: Known) -> None:
    """Students and graduates who completed a course: each once in an area and period, as the last course there says."""
    ended = (pl.col("status") == "02") & pl.col("completion_date").is_not_null()
    every = known.trainings.filter(ended & (pl.col("graduate_status") != ""))
    for period in periods("quarter", "ytd", "year"):
        rows = every.filter(pl.col("completion_date").is_between(period.start, period.end))
        last = (
            rows.join(members(period.end), on="county")
            .sort("completion_date", "enrollment_id")
            .unique(["area_code", "person"], keep="last", maintain_order=True)
        )
        _distinct(cells, period, last, ("total", "total"))
        for name, value in (("graduate_status", pl.col("graduate_status")), ("sex", SEX)):
            for (label,), part in last.group_by(value.alias("label")):
                _distinct(cells, period, part, (name, str(label)))


def _distinct(cells: Cells, period: Period, persons: pl.DataFrame, part: tuple[str, str]) -> None:
    frame = persons.group_by("area_code").agg(numerator=pl.len(), n_persons=pl.len())
    value = pl.col("numerator")
    cells.add("M04-1", period, frame.with_columns(denominator=pl.lit(None), value=value), breakdown=part)


@computes("M04-2")
def graduates_at_work(cells: Cells, known: Known) -> None:
    """As M01-1, of the graduates who had left school without work."""
    listed = known.trainings.filter(pl.col("subsidy_source") != "00")
    for period in periods("quarter", "year"):
        if period.shifted(6).end > HORIZON:
            continue
        rows = pl.concat([found_work(completers(listed, quarter), known.spells) for quarter in quarters_of(period)])
        own = Cells()
        own.ratio("M04-2", period, rows.filter(pl.col("graduate_status") == "03"), pl.col("found"))
        _at_cities_and_above(cells, own)


def _at_cities_and_above(cells: Cells, every: Cells) -> None:
    """Add the cells of the province and the cities alone."""
    cells.take(every, pl.col("area_code").str.ends_with("00"))


@computes("M04-3")
def taken_in(cells: Cells, known: Known) -> None:
    """Graduates without work who were taken in by classes of technicians in the autumn."""
    enrolled = technician_schools.standing(known.accepted[technician_schools.NAME], HORIZON)
    home = areas.index_of(areas.area_of(pl.when("has_origin").then("registration").otherwise(pl.lit(""))))
    codes = areas.all_codes()
    origin = (
        pl.when(home == codes.index(areas.UNKNOWN))
        .then(pl.lit("unstated"))
        .when(home == codes.index(areas.OTHER_PROVINCES))
        .then(pl.lit("outside"))
        .when(home == pl.col("school_county"))
        .then(pl.lit("county"))
        .otherwise(pl.lit("province"))
    )
    taken = enrolled.filter(
        (pl.col("entry_kind") == "1")
        & pl.col("class_type").is_in(["01", "02"])
        & (pl.col("entrant_type") == "01")
        & (pl.col("enrolled_on").dt.month() >= AUTUMN)
    ).with_columns(county="school_county", origin=origin)
    for period in periods("year"):
        rows = taken.filter(pl.col("enrolled_on").is_between(period.start, period.end))
        cells.count("M04-3", period, rows, "person")
        for (label,), part in rows.group_by("class_type"):
            cells.count("M04-3", period, part, "person", ("class_type", str(label)))
        origins = Cells()
        for (label,), part in rows.group_by("origin"):
            origins.count("M04-3", period, part, "person", ("origin", str(label)))
        _at_cities_and_above(cells, origins)
