"""Measure 3: vocational schools, what they are built up for and what they teach."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.calendar import OPENING_DAY
from sandbox.feeds.terms import handed_over
from sandbox.feeds.texts import moment
from sandbox.truth.cells import Cells
from sandbox.truth.known import Known
from sandbox.truth.periods import periods, years_of_terms
from sandbox.truth.registry import computes

PROJECTS = {"M03-3": "01", "M03-4": "02"}
FLAGS = ("new_occupation", "new_manufacturing", "digital")


def projects_by_then(known: Known) -> pl.DataFrame:
    """Projects as the province knew them on the opening day: of what has not been handed over nothing has changed."""
    projects = known.accepted["hrss/technician_school_projects"]
    told = projects.select(changed=moment("updated_at")).select(handed_over("changed")).to_series()
    is_told = told <= f"{OPENING_DAY} 23:59:59"
    return projects.with_columns(
        accepted_on=pl.when(is_told).then("accepted_on"),
        status=pl.when(is_told).then("status").otherwise(pl.lit("01")),
    )


@computes("M03-3", "M03-4")
def projects(cells: Cells, known: Known) -> None:
    """Projects accepted, and beside them those under construction."""
    every = projects_by_then(known).filter(pl.col("status") != "03").rename({"school_county": "county"})
    for period in years_of_terms():
        for code, kind in PROJECTS.items():
            named = every.filter((pl.col("project_kind") == kind) & (pl.col("named_on") <= period.end))
            is_accepted = (pl.col("accepted_on") <= period.end).fill_null(value=False)
            cells.count(code, period, named.filter(is_accepted), None)
            cells.count(code, period, named.filter(is_accepted), None, ("project_state", "accepted"))
            cells.count(code, period, named.filter(~is_accepted), None, ("project_state", "building"))


@computes("M03-5")
def frontier_specialties(cells: Cells, known: Known) -> None:
    """Specialties with a flag, those that both departments list once."""
    columns = ("school_code", "programme_code", "county", "opened_on", "closed_on", *FLAGS)
    listed = pl.concat([
        known.accepted["hrss/technician_school_programmes"].select(columns),
        known.accepted["education/vocational_programmes"].select(columns),
    ])  # fmt: skip
    for period in years_of_terms():
        is_taught = pl.col("closed_on").is_null() | (pl.col("closed_on") >= period.end)
        taught = listed.filter((pl.col("opened_on") <= period.end) & is_taught)
        # the human resources department's come first, and so their county
        once = taught.group_by("school_code", "programme_code", maintain_order=True).agg(
            pl.col("county").first(), *(pl.col(flag).any() for flag in FLAGS)
        )
        cells.count("M03-5", period, once.filter(pl.any_horizontal(FLAGS)), None)
        for flag in FLAGS:
            cells.count("M03-5", period, once.filter(flag), None, ("specialty_flag", flag))


@computes("M03-1")
def by_schools(cells: Cells, known: Known) -> None:
    """Subsidised trainings that schools delivered, of those whose records say who did."""
    stated = known.subsidised.filter(pl.col("provider_type").is_not_null())
    for period in periods("quarter", "ytd", "year"):
        rows = stated.filter(pl.col("completion_date").is_between(period.start, period.end))
        cells.ratio("M03-1", period, rows, pl.col("provider_type").is_in(["01", "02"]))
        for kind in ("01", "02"):
            cells.ratio("M03-1", period, rows, pl.col("provider_type") == kind, ("school_type", kind))


@computes("M03-2")
def in_shortage(cells: Cells, known: Known) -> None:
    """Subsidised trainings for occupations that were in short supply when they began."""
    city_of = {number: f"{code[:4]}00" for number, code in enumerate(areas.all_codes())}
    records = (
        known.subsidised.filter(pl.col("provider_type").is_not_null())
        .with_row_index("record")
        .with_columns(city=pl.col("county").replace_strict(city_of, return_dtype=pl.String))
    )
    entries = known.accepted["hrss/training_directories"].filter(pl.col("directory_kind") == "03")
    holds = (pl.col("valid_from") <= pl.col("start_date")) & (
        pl.col("valid_until").is_null() | (pl.col("valid_until") >= pl.col("start_date"))
    )
    listed = records.join(
        entries.select("occupation_code", "area_code", "valid_from", "valid_until"), on="occupation_code"
    ).filter(holds)
    by_province = listed.filter(pl.col("area_code") == areas.PROVINCE)["record"]
    by_city = listed.filter(pl.col("area_code") == pl.col("city"))["record"]
    every = records.with_columns(
        provincial=pl.col("record").is_in(by_province.implode()), city=pl.col("record").is_in(by_city.implode())
    )
    is_coded = pl.col("occupation_code") != ""
    for period in periods("quarter", "ytd", "year"):
        rows = every.filter(pl.col("completion_date").is_between(period.start, period.end))
        coded = rows.filter(is_coded)
        cells.ratio("M03-2", period, coded, pl.col("provincial") | pl.col("city"))
        for level in ("provincial", "city"):
            cells.ratio("M03-2", period, coded, pl.col(level), ("shortage_list", level))
        cells.ratio("M03-2", period, rows, ~is_coded, ("uncoded", "uncoded"))
