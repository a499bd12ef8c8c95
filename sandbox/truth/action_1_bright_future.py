"""技能照亮前程: M01."""

from __future__ import annotations

import polars as pl

from sandbox import areas
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
    """Subsidised trainings completed, and the share of those for priority groups."""
    age = pl.col("completion_date").dt.year() - pl.col("birth_year")
    home = areas.index_of(areas.area_of(pl.col("lives_in")))
    codes = areas.all_codes()
    parts = {
        "focus_sector": pl.when(pl.col("priority_groups").is_null())
        .then(pl.lit("unstated"))
        .when(pl.col("focus_sector") == "")
        .then(pl.lit("none"))
        .otherwise("focus_sector"),
        "provider_type": pl.col("provider_type").fill_null("none"),
        "sex": pl.col("sex").fill_null("none"),
        "age_band": pl.when(age >= 55).then(pl.lit("55+")).otherwise(
            age.cut([16, 25, 35, 45], labels=["none", "16-24", "25-34", "35-44", "45-54"], left_closed=True)
            .cast(pl.String)
            .fill_null("none")
        ),
        "urban_rural": pl.col("urban_rural_code").fill_null("").str.extract("^([12])").fill_null("none"),
        "origin": pl.when(home == pl.col("county"))
        .then(pl.lit("county"))
        .when(home == codes.index(areas.OTHER_PROVINCES))
        .then(pl.lit("outside"))
        .when(home == codes.index(areas.UNKNOWN))
        .then(pl.lit("none"))
        .otherwise(pl.lit("province")),
    }  # fmt: skip
    every = known.subsidised.with_columns(**{f"by_{name}": part for name, part in parts.items()})
    grouped = pl.col("priority_groups") != ""
    for period in periods("month", "quarter", "ytd", "year"):
        rows = every.filter(pl.col("completion_date").is_between(period.start, period.end))
        stated = rows.filter(pl.col("priority_groups").is_not_null())
        cells.count("M01-3", period, rows, "person")
        cells.ratio("M01-5", period, stated, grouped)
        for group in ("01", "02", "03", "04", "05"):
            in_group = pl.col("priority_groups").str.contains(group, literal=True)
            part = ("priority_group", group)
            cells.count("M01-3", period, rows.filter(in_group), "person", part)
            cells.ratio("M01-5", period, stated, in_group, part)
        for name in parts:
            for (value,), some in rows.group_by(f"by_{name}"):
                cells.count("M01-3", period, some, "person", (name, str(value)))
        for (value,), some in stated.group_by("by_focus_sector"):
            cells.ratio("M01-5", period, some, grouped, ("focus_sector", str(value)))
