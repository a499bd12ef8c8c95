"""Who is at work on a day, and who holds a certificate."""

from __future__ import annotations

from datetime import date

import polars as pl

from sandbox.truth.cells import members
from sandbox.truth.known import LABEL, Known
from sandbox.truth.parts import SEX, URBAN_RURAL, age_band
from sandbox.truth.periods import Period


def valid(certificates: pl.DataFrame, day: date) -> pl.DataFrame:
    """Certificates that are valid on `day`."""
    gone = pl.col("is_revoked") & (pl.col("revoked_on").is_null() | (pl.col("revoked_on") <= day))
    return certificates.filter(
        (pl.col("issued_on") <= day) & (pl.col("valid_until").is_null() | (pl.col("valid_until") >= day)) & ~gone
    )


def highest(certificates: pl.DataFrame, day: date) -> pl.DataFrame:
    """person, rank: highest level among the valid certificates of types 01 and 02."""
    levelled = valid(certificates, day).filter(pl.col("certificate_type").is_in(["01", "02"]))
    return levelled.group_by("person").agg(pl.col("rank").max()).drop_nulls()


def levels(certificates: pl.DataFrame, day: date) -> pl.DataFrame:
    """person, level: the highest, or `special_only` of those whose valid certificates have none."""
    ranked = highest(certificates, day)
    unranked = valid(certificates, day).select("person").unique().join(ranked, on="person", how="anti")
    return pl.concat(
        [
            ranked.select("person", level=pl.col("rank").replace_strict(LABEL, return_dtype=pl.String)),
            unranked.select("person", level=pl.lit("special_only")),
        ]
    )


def at_work(known: Known, period: Period, place: str = "county") -> pl.DataFrame:
    """Each person at work once in each area, by the latest spell, with what is known of them then.

    Args:
        known: What remains of the feeds.
        period: On its last day.
        place: The column of the spells that says where somebody counts: the county of work, or `home`, where the last
            spell of all says that the person lives.
    """
    day = period.end
    working = known.spells.filter(
        (pl.col("start_date") <= day) & (pl.col("end_date").is_null() | (pl.col("end_date") >= day))
    ).sort("start_date", "employer_code")
    if place != "county":
        working = working.unique("person", keep="last", maintain_order=True)
    return (
        working.join(members(period.end), left_on=place, right_on="county")
        .unique(["area_code", "person"], keep="last", maintain_order=True)
        .join(levels(known.certificates, day), on="person", how="left")
        .select(
            "area_code",
            urban_rural=URBAN_RURAL,
            sex=SEX,
            age_band=age_band(day.year - pl.col("birth_year")),
            skill_level=pl.col("level").fill_null("none"),
            certified=pl.col("level").is_not_null(),
            levelled=pl.col("level").is_not_null() & (pl.col("level") != "special_only"),
            high=pl.col("level").is_in(["3", "2", "1", "T", "S"]).fill_null(value=False),
        )
    )


def certified_share(persons: pl.DataFrame) -> pl.DataFrame:
    """Certified persons among those at work, area by area."""
    return persons.group_by("area_code").agg(
        numerator=pl.col("certified").sum(), denominator=pl.len(), n_persons=pl.len()
    )


def employed_where(known: Known, period: Period, counted: pl.DataFrame) -> pl.DataFrame:
    """area_code, denominator, n_persons: who is at work in each area; nobody in those of *counted* where nobody is."""
    employed = at_work(known, period).group_by("area_code").agg(denominator=pl.len())
    everywhere = employed.join(counted.select("area_code").unique(), on="area_code", how="full", coalesce=True)
    return everywhere.with_columns(pl.col("denominator").fill_null(0)).with_columns(n_persons="denominator")


def per_ten_thousand(employed: pl.DataFrame, counted: pl.DataFrame) -> pl.DataFrame:
    """*employed* with the numerator of *counted*, none where it has none, and the rate where anybody is employed."""
    rate = pl.when(pl.col("denominator") > 0).then(pl.col("numerator") / pl.col("denominator") * 10_000)
    joined = employed.join(counted, on="area_code", how="left")
    return joined.with_columns(pl.col("numerator").fill_null(0)).with_columns(value=rate)
