"""Subsidised trainings, measure 5: inside the directories, and what was paid for them."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from sandbox import areas
from sandbox.truth.cells import Cells, members
from sandbox.truth.cohorts import quarters_of
from sandbox.truth.known import BEFORE, Known
from sandbox.truth.periods import HORIZON, periods
from sandbox.truth.registry import computes

PROJECTS, PROVIDERS = "01", "02"


def _listed(known: Known) -> pl.DataFrame:
    """The human resources departments' records that are completed and on the subsidy list."""
    return known.trainings.filter(
        (pl.col("status") == "02") & pl.col("completion_date").is_not_null() & (pl.col("subsidy_source") != "00")
    )


@computes("M05-1")
def inside_directories(cells: Cells, known: Known) -> None:
    """Records whose project and provider both stand in a directory of the handling county or its city."""
    codes = pl.Series(areas.all_codes())
    venue = pl.when(pl.col("venue") >= 0).then(pl.col("venue"))
    venue_code = venue.map_batches(lambda place: codes.gather(place), return_dtype=pl.String)
    said = pl.when(pl.col("handling_county_code") == "").then(venue_code).otherwise("handling_county_code")
    records = _listed(known).with_columns(county=areas.index_of(areas.area_of(said.fill_null(""))))
    city_of = dict(areas.counties().select("county_code", "city_code").iter_rows())
    directories = {code: {code, city} for code, city in city_of.items()}
    directories |= {areas.own_level_of(city): {city} for city in city_of.values()}
    entries: dict[tuple[str, str], list[tuple[str, object, object]]] = {}
    for kind, area, entry, uscc, first, last in (
        known.accepted["hrss/training_directories"]
        .select("directory_kind", "area_code", "entry_code", "provider_uscc", "valid_from", "valid_until")
        .iter_rows()
    ):
        entries.setdefault((kind, uscc if kind == PROVIDERS else entry), []).append((area, first, last))

    def stands(kind: str, code: str, where: set[str], day: object) -> bool:
        return any(
            area in where and first <= day and (last is None or day <= last)  # type: ignore[operator]  # all are dates
            for area, first, last in entries.get((kind, code), ())
        )

    place = areas.all_codes()
    judged = []
    for number, (county, project, provider, start) in enumerate(
        records.select("county", "project_code", "provider_uscc", "start_date").iter_rows()
    ):
        where = directories.get(place[county])
        if where is not None:
            is_in = stands(PROJECTS, project, where, start), stands(PROVIDERS, provider, where, start)
            judged.append((number, project != "" and provider != "", *is_in))
    looked_up = pl.DataFrame(judged, schema=("number", "coded", "project", "provider"), orient="row")
    every = records.with_row_index("number").join(looked_up.cast({"number": pl.UInt32}), on="number")
    for period in periods("quarter", "ytd", "year"):
        rows = every.filter(pl.col("completion_date").is_between(period.start, period.end))
        coded = rows.filter("coded")
        project, provider = pl.col("project"), pl.col("provider")
        cells.ratio("M05-1", period, coded, project & provider)
        cells.ratio("M05-1", period, coded, ~project & provider, ("fault", "project"))
        cells.ratio("M05-1", period, coded, project & ~provider, ("fault", "provider"))
        cells.ratio("M05-1", period, coded, ~project & ~provider, ("fault", "both"))
        cells.ratio("M05-1", period, rows, ~pl.col("coded"), ("fault", "uncoded"))


@computes("M05-3", "M05-3a")
def net_paid(cells: Cells, known: Known) -> None:
    """Net amount of a completed record that was paid for within twelve months, and how many of all were."""
    entered = pl.col("paid_on").cast(pl.Datetime("us")) + pl.duration(days="delay", seconds="second")
    cancelled = pl.col("is_cancelled") & (entered + pl.duration(days=9, hours=1) < _moment(BEFORE))
    ledger = known.accepted["finance/training_subsidies"].filter((entered < _moment(BEFORE)) & ~cancelled)
    reversals = ledger.filter(pl.col("reversed_serial").is_not_null())
    taken_back = reversals.group_by(serial="reversed_serial").agg(back=pl.col("cents").sum())
    window_end = pl.col("completion_date").dt.offset_by("12mo").dt.month_end()
    payments = (
        ledger.filter(pl.col("reversed_serial").is_null())
        .select("serial", "enrollment_id", "paid_on", "cents")
        .join(taken_back, on="serial", how="left")
        .join(_listed(known).drop("subsidy_cny"), on="enrollment_id")
        .filter(pl.col("paid_on") <= window_end)
    )
    keys = ("enrollment_id", "person", "county", "provider_type", "completion_date")
    every = payments.group_by(keys).agg(cents=(pl.col("cents") + pl.col("back").fill_null(0)).sum())
    listed = _listed(known).with_columns(
        pl.col("provider_type").fill_null("unstated"),
        is_paid=pl.col("enrollment_id").is_in(every["enrollment_id"].implode()),
    )
    for period in periods("quarter", "year"):
        if period.shifted(12).end > HORIZON:
            continue
        in_period = pl.col("completion_date").is_between(quarters_of(period)[0].start, quarters_of(period)[-1].end)
        completed = listed.filter(in_period)
        cells.ratio("M05-3a", period, completed, pl.col("is_paid"))
        for (label,), some in completed.group_by("provider_type"):
            cells.ratio("M05-3a", period, some, pl.col("is_paid"), ("provider_type", str(label)))
        rows = every.filter(in_period).join(members(period.end), on="county")
        for breakdown, part in [(("total", "total"), rows)] + [
            (("provider_type", str(label)), some) for (label,), some in rows.group_by("provider_type")
        ]:
            sums = part.group_by("area_code").agg(
                numerator=pl.col("cents").sum() / 100, denominator=pl.len(), n_persons=pl.col("person").n_unique()
            )
            cells.add("M05-3", period, sums, breakdown=breakdown)


def _moment(at: datetime) -> pl.Expr:
    return pl.lit(at).cast(pl.Datetime("us"))
