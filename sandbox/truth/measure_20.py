"""Measure 20, professional titles."""

from __future__ import annotations

import polars as pl

from sandbox.truth.cells import Cells, members
from sandbox.truth.known import BEFORE, Known
from sandbox.truth.periods import Period, periods
from sandbox.truth.registry import computes

TITLES, GREEN_CHANNEL = ("1", "2", "3", "4", "5"), ("02", "03")


@computes("M20-1", "M20-2")
def title_awards(cells: Cells, known: Known) -> None:
    """Persons who were awarded a title: with a high level valid on the day, and through the green channel."""
    awards = known.accepted["hrss/title_awards"].filter(
        (pl.col("updated_at") < BEFORE) & ~pl.col("is_withdrawn") & (pl.col("outcome") == "1")
    )
    awards = awards.with_columns(
        county=pl.col("insured_in").cast(pl.Int64), awarded_on=pl.col("awarded_on").cast(pl.Date)
    )
    high = known.certificates.filter(pl.col("certificate_type").is_in(["01", "02"]) & (pl.col("rank") >= 3))
    day = pl.col("awarded_on")
    held = awards.select("serial", "person", "awarded_on").join(
        high.select("person", "issued_on", "valid_until", "is_revoked", "revoked_on"), on="person"
    )
    gone = pl.col("is_revoked") & (pl.col("revoked_on").is_null() | (pl.col("revoked_on") <= day))
    valid = held.filter(
        (pl.col("issued_on") <= day) & (pl.col("valid_until").is_null() | (pl.col("valid_until") >= day)) & ~gone
    )
    of_high_skilled = awards.join(valid.select("serial").unique(), on="serial", how="semi")
    green = awards.filter(pl.col("route").is_in(GREEN_CHANNEL))
    for period in periods("year"):
        _by("M20-1", cells, period, of_high_skilled, "title_level", "title_level", TITLES)
        _by("M20-2", cells, period, green, "route", "title_route", GREEN_CHANNEL)


def _by(
    code: str, cells: Cells, period: Period, awards: pl.DataFrame, column: str, name: str, values: tuple[str, ...]
) -> None:
    rows = awards.filter(pl.col("awarded_on").is_between(period.start, period.end))
    persons = rows.join(members(period.end), on="county").group_by("area_code", "person").agg(pl.col(column).min())
    if code == "M20-2":
        persons = persons.filter(pl.col("area_code").str.contains("^33..00$"))
    for breakdown, part in [
        (("total", "total"), persons),
        *(((name, value), persons.filter(pl.col(column) == value)) for value in values),
    ]:
        frame = part.group_by("area_code").agg(numerator=pl.len(), n_persons=pl.len())
        cells.add(code, period, frame.with_columns(denominator=pl.lit(None), value="numerator"), breakdown=breakdown)
