"""技能照亮前程: M01."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.truth.cells import Cells
from sandbox.truth.cohorts import completers, found_work, quarters_of
from sandbox.truth.known import LABEL, Known
from sandbox.truth.parts import SEX, URBAN_RURAL, age_band
from sandbox.truth.periods import HORIZON, periods
from sandbox.truth.registry import computes

OF_PERSONS = {
    "sex": SEX,
    "age_band": age_band(pl.col("completion_date").dt.year() - pl.col("birth_year")),
    "urban_rural": URBAN_RURAL,
}
GROUPS = ("01", "02", "03", "04", "05")
OF_AFFECTED = "01"
LEVELS = {**LABEL, 0: "special_only"}


@computes("M01-1")
def at_work_after(cells: Cells, known: Known) -> None:
    """Of those not registered when the course began: registered in the sixth month after it; once that has ended."""
    listed = known.trainings.filter(pl.col("subsidy_source") != "00")
    found = pl.col("found")
    for period in periods("quarter", "year"):
        if period.shifted(6).end > HORIZON:
            continue
        rows = pl.concat([found_work(completers(listed, quarter), known.spells) for quarter in quarters_of(period)])
        cells.ratio("M01-1", period, rows, found)
        for name, value in OF_PERSONS.items():
            for (label,), part in rows.group_by(value.alias("label")):
                cells.ratio("M01-1", period, part, found, (name, str(label)))
        for group in GROUPS:
            part = rows.filter(pl.col("priority_groups").str.contains(group, literal=True))
            cells.ratio("M01-1", period, part, found, ("priority_group", group))
        cells.ratio("M01-1", period, rows.filter(pl.col("priority_groups") == ""), found, ("priority_group", "none"))


@computes("M01-2")
def certified(cells: Cells, known: Known) -> None:
    """Certified by the end of the sixth month after; once that has ended."""
    assessed = known.trainings.filter("ends_in_assessment")
    for period in periods("quarter", "year"):
        if period.shifted(6).end > HORIZON:
            continue
        rows = pl.concat(
            [_certified(completers(assessed, quarter), known.certificates) for quarter in quarters_of(period)]
        )
        gained = pl.col("level").is_not_null()
        cells.ratio("M01-2", period, rows, gained)
        for name in ("sex", "age_band"):
            for (label,), part in rows.group_by(OF_PERSONS[name].alias("label")):
                cells.ratio("M01-2", period, part, gained, (name, str(label)))
        for rank, label in LEVELS.items():
            cells.ratio("M01-2", period, rows, pl.col("level") == rank, ("gained_level", label))
        cells.ratio("M01-2", period, rows, pl.col("is_same"), ("occupation_match", "same_class"))
        cells.ratio("M01-2", period, rows, ~pl.col("is_same"), ("occupation_match", "uncoded"))


def _certified(persons: pl.DataFrame, certificates: pl.DataFrame) -> pl.DataFrame:
    """With `level`, the highest rank gained (0 for none of its own), and `is_same`; both null without a certificate."""
    window_end = pl.col("completion_date").dt.offset_by("6mo").dt.month_end()
    pairs = persons.select("person", "completion_date", trained="occupation_code").join(
        certificates.select("person", "issued_on", "is_revoked", "revoked_on", "rank", coded="occupation_code"),
        on="person",
    )
    in_time = (pl.col("issued_on") >= pl.col("completion_date")) & (pl.col("issued_on") <= window_end)
    stands = ~pl.col("is_revoked") | (pl.col("revoked_on") > window_end).fill_null(value=False)
    both_coded = (pl.col("trained") != "") & pl.col("coded").is_not_null()
    same = pl.col("trained").str.slice(0, 7) == pl.col("coded").str.slice(0, 7)
    gained = (
        pairs.filter(in_time & stands & (~both_coded | same))
        .group_by("person")
        .agg(level=pl.col("rank").fill_null(0).max(), is_same=both_coded.any())
    )
    return persons.join(gained, on="person", how="left")


@computes("M01-3", "M01-5")
def trainings(cells: Cells, known: Known) -> None:
    """Subsidised trainings completed, and the share of those for priority groups."""
    home = areas.index_of(areas.area_of(pl.col("lives_in")))
    codes = areas.all_codes()
    parts = {
        "focus_sector": pl.when(pl.col("priority_groups").is_null())
        .then(pl.lit("unstated"))
        .when(pl.col("focus_sector") == "")
        .then(pl.lit("none"))
        .otherwise("focus_sector"),
        "provider_type": pl.col("provider_type").fill_null("unstated"),
        **OF_PERSONS,
        "origin": pl.when(home == pl.col("county"))
        .then(pl.lit("county"))
        .when(home == codes.index(areas.OTHER_PROVINCES))
        .then(pl.lit("outside"))
        .when(home == codes.index(areas.UNKNOWN))
        .then(pl.lit("unstated"))
        .otherwise(pl.lit("province")),
    }  # fmt: skip
    every = known.subsidised.with_columns(
        is_affected=_works_for_affected(known), **{f"by_{name}": part for name, part in parts.items()}
    )
    grouped = (pl.col("priority_groups") != "") | pl.col("is_affected")
    for period in periods("month", "quarter", "ytd", "year"):
        rows = every.filter(pl.col("completion_date").is_between(period.start, period.end))
        stated = rows.filter(pl.col("priority_groups").is_not_null())
        cells.count("M01-3", period, rows, "person")
        cells.ratio("M01-5", period, stated, grouped)
        for group in GROUPS:
            in_group = pl.col("priority_groups").str.contains(group, literal=True)
            part = ("priority_group", group)
            cells.count("M01-3", period, rows.filter(in_group), "person", part)
            by_either = in_group | pl.col("is_affected") if group == OF_AFFECTED else in_group
            cells.ratio("M01-5", period, stated, by_either, part)
        for name in parts:
            for (value,), some in rows.group_by(f"by_{name}"):
                cells.count("M01-3", period, some, "person", (name, str(value)))
        for (value,), some in stated.group_by("by_focus_sector"):
            cells.ratio("M01-5", period, some, grouped, ("focus_sector", str(value)))


def _works_for_affected(known: Known) -> pl.Series:
    """Of each subsidised record: who was trained worked for an enterprise on the list on the first day."""
    day = pl.col("day")
    listed = known.accepted["industry/affected_enterprises"].select("uscc", "valid_from", "valid_until")
    days = known.subsidised.select("person", day="start_date").with_row_index("record")
    hit = (
        days.join(known.spells.select("person", "uscc", "start_date", "end_date"), on="person")
        .join(listed, on="uscc")
        .filter(
            day.is_between("start_date", pl.col("end_date").fill_null(day)),
            day.is_between("valid_from", pl.col("valid_until").fill_null(day)),
        )
    )
    return days["record"].is_in(hit["record"].implode()).alias("is_affected")
