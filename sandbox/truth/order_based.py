"""Order-based training, measure 1: the four links of a project."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from sandbox.truth.cells import Cells
from sandbox.truth.cohorts import completers, quarters_of
from sandbox.truth.known import BEFORE, Known
from sandbox.truth.periods import HORIZON, periods
from sandbox.truth.registry import computes

_WINDOW_END = pl.col("completion_date").dt.offset_by("6mo").dt.month_end()


@computes("M01-4")
def four_links(cells: Cells, known: Known) -> None:
    """Of those who completed an order-based course: with a job need, an assessment and a service beside it."""
    order_based = known.trainings.filter("is_order_based")
    for period in periods("quarter", "year"):
        if period.shifted(6).end > HORIZON:
            continue
        rows = pl.concat([_linked(completers(order_based, quarter), known) for quarter in quarters_of(period)])
        links = {"vacancy": pl.col("needed"), "assessment": pl.col("assessed"), "service": pl.col("served")}
        cells.ratio("M01-4", period, rows, pl.all_horizontal(links.values()))
        for name, link in (*links.items(), ("training", pl.lit(True))):
            cells.ratio("M01-4", period, rows, link, ("link", name))


def _linked(persons: pl.DataFrame, known: Known) -> pl.DataFrame:
    """`persons`, who stand there once, with `needed`, `assessed` and `served`."""
    failed = pl.col("assessment_failed_on").is_between(pl.col("completion_date"), _WINDOW_END).fill_null(value=False)
    return persons.with_columns(
        needed=_has(persons, _needs(persons, known)),
        assessed=_has(persons, _certificates(persons, known)) | persons.select(failed).to_series(),
        served=_has(persons, _services(persons, known)),
    )


def _has(persons: pl.DataFrame, met: pl.DataFrame) -> pl.Series:
    return persons["person"].is_in(met["person"].implode())


def _needs(persons: pl.DataFrame, known: Known) -> pl.DataFrame:
    posted = known.accepted["hrss/job_vacancies"]
    withdrawn = pl.col("is_withdrawn") & ~pl.col("is_left_open") & (pl.col("ended_on") <= HORIZON)
    needs = posted.filter((pl.col("posted_on") <= HORIZON) & ~withdrawn).select("project_code", "posted_on")
    a_year_before = pl.col("start_date").dt.offset_by("-12mo")
    return persons.join(needs, on="project_code").filter(
        pl.col("posted_on").is_between(a_year_before, pl.col("start_date"))
    )


def _certificates(persons: pl.DataFrame, known: Known) -> pl.DataFrame:
    issued = known.certificates.select(
        "person", "issued_on", "is_revoked", "revoked_on", certified_in="occupation_code"
    )
    both_coded = (pl.col("occupation_code") != "") & pl.col("certified_in").is_not_null()
    same = pl.col("occupation_code").str.slice(0, 7) == pl.col("certified_in").str.slice(0, 7)
    never_valid = pl.col("is_revoked") & pl.col("revoked_on").is_null()
    return persons.join(issued, on="person").filter(
        pl.col("issued_on").is_between(pl.col("completion_date"), _WINDOW_END) & ~never_valid & (~both_coded | same)
    )


def _services(persons: pl.DataFrame, known: Known) -> pl.DataFrame:
    given = known.accepted["hrss/employment_services"]
    withdrawn = pl.col("is_withdrawn") & (pl.col("withdrawn_at") < BEFORE)
    stands = given.filter((pl.col("entered_at") < BEFORE) & ~withdrawn).select("person", "served_on")
    before = pl.col("start_date") - timedelta(days=90)
    return persons.join(stands, on="person").filter(pl.col("served_on").is_between(before, _WINDOW_END))
