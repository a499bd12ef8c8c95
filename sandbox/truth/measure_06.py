"""Measure 6: apprentices, and the colleges that schools and enterprises found together."""

from __future__ import annotations

import polars as pl

from sandbox.calendar import FIRST_MONTH
from sandbox.truth.cells import Cells, members
from sandbox.truth.known import BEFORE, RANK, Known
from sandbox.truth.periods import HORIZON, Period, days, periods
from sandbox.truth.registry import computes


@computes("M06-4")
def colleges(cells: Cells, known: Known) -> None:
    """Colleges that exist, of either kind."""
    every = known.accepted["industry/colleges"]
    for period in days("year"):
        exists = pl.col("valid_until").is_null() | (pl.col("valid_until") >= period.end)
        rows = every.filter((pl.col("valid_from") <= period.end) & exists)
        cells.count("M06-4", period, rows, None)
        for (kind,), part in rows.group_by("kind"):
            cells.count("M06-4", period, part, None, ("college_kind", str(kind)))


def apprenticeships_by_then(known: Known) -> pl.DataFrame:
    """Apprenticeships as they were known on the opening day, withdrawn ones left out, with `in_training_to`."""
    every = known.accepted["hrss/apprenticeships"]
    told = pl.col("updated_at") < BEFORE
    # what was reported in the window had been reported as begun before
    was_begun = (pl.col("status") != "01") & (pl.col("updated_at").dt.date() >= FIRST_MONTH)
    is_begun = was_begun & (pl.col("began_at") < pl.col("updated_at")) & (pl.col("began_at") < BEFORE)
    overdue = pl.col("planned_end_date").dt.offset_by("6mo")
    reported = pl.col("updated_at").dt.date()
    left_undated = (pl.col("status") == "03") & pl.col("ended_on").is_null()
    return (
        every.filter(told | is_begun)
        .with_columns(
            ended_on=pl.when(told).then("ended_on"), status=pl.when(told).then("status").otherwise(pl.lit("01"))
        )
        .filter(pl.col("status") != "09")
        .with_columns(
            in_training_to=pl.when(left_undated)
            .then(pl.min_horizontal(reported, overdue))
            .otherwise(pl.coalesce("ended_on", overdue)),
            rank=pl.col("target_level_code").replace_strict(RANK, return_dtype=pl.Int64),
            county="insured_in",
        )
    )


def _in_training(known: Known, period: Period) -> pl.DataFrame:
    """Each apprentice once in each area, by what began last."""
    day = period.end
    return (
        apprenticeships_by_then(known)
        .filter((pl.col("start_date") <= day) & (pl.col("in_training_to") >= day))
        .join(members(day), on="county")
        .sort("start_date", "serial")
        .unique(["area_code", "person"], keep="last", maintain_order=True)
    )


@computes("M06-1")
def apprentices(cells: Cells, known: Known) -> None:
    """Apprentices in training for each 10,000 insured employees of enterprises."""
    insured = known.spells.filter(pl.col("is_insured") & (pl.col("employer_type") == "01"))
    for period in days("quarter", "year"):
        day = period.end
        in_force = (pl.col("start_date") <= day) & (pl.col("end_date").is_null() | (pl.col("end_date") >= day))
        employees = (
            insured.filter(in_force)
            .join(members(day), on="county")
            .group_by("area_code")
            .agg(denominator=pl.col("person").n_unique())
        )
        training = _in_training(known, period)
        # apprentices count where no enterprise employs anybody too
        of_anybody = training.select("area_code").unique()
        employees = employees.join(of_anybody, on="area_code", how="full", coalesce=True).with_columns(
            pl.col("denominator").fill_null(0)
        )
        for breakdown, column, values in (
            ("total", None, ("total",)),
            ("entrant_type", "entrant_type", ("01", "02", "03", "04")),
            ("aimed_level", "target_level_code", ("4", "3", "2", "1")),
        ):
            for value in values:
                some = training if column is None else training.filter(pl.col(column) == value)
                number = some.group_by("area_code").agg(numerator=pl.len())
                frame = employees.join(number, on="area_code", how="left").with_columns(
                    pl.col("numerator").fill_null(0), n_persons=pl.col("denominator")
                )
                rate = pl.when(pl.col("denominator") > 0).then(pl.col("numerator") / pl.col("denominator") * 10_000)
                cells.add("M06-1", period, frame.with_columns(value=rate), breakdown=(breakdown, value))


@computes("M06-3")
def high_aims(cells: Cells, known: Known) -> None:
    """Apprentices in training who aim at senior level or above."""
    for period in days("quarter", "year"):
        frame = (
            _in_training(known, period)
            .group_by("area_code")
            .agg(numerator=(pl.col("rank") >= RANK["3"]).sum(), denominator=pl.len(), n_persons=pl.len())
        )
        cells.add("M06-3", period, frame, 100)


@computes("M06-2")
def certified_at_the_end(cells: Cells, known: Known) -> None:
    """Apprenticeships that led to a certificate at the agreed level; once the window has ended."""
    every = apprenticeships_by_then(known).with_columns(window_end=pl.col("planned_end_date").dt.offset_by("6mo"))
    levelled = known.certificates.filter(pl.col("certificate_type").is_in(["01", "02"]))
    pairs = every.join(
        levelled.select("person", "issued_on", "is_revoked", "revoked_on", gained="rank"), on="person"
    ).filter(
        pl.col("issued_on").is_between(pl.col("start_date"), pl.col("window_end"))
        & (pl.col("gained") >= pl.col("rank"))
        & (~pl.col("is_revoked") | (pl.col("revoked_on") > pl.col("window_end")).fill_null(value=False))
    )
    rows = every.with_columns(is_certified=pl.col("serial").is_in(pairs["serial"].implode()))
    for period in periods("year"):
        if period.shifted(6).end > HORIZON:
            continue
        cohort = rows.filter(pl.col("planned_end_date").is_between(period.start, period.end))
        cells.ratio("M06-2", period, cohort, pl.col("is_certified"))
        for (level,), part in cohort.group_by("target_level_code"):
            cells.ratio("M06-2", period, part, pl.col("is_certified"), ("target_level", str(level)))
