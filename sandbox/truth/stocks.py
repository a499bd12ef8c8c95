"""Who is at work on a day, and who holds a certificate."""

from __future__ import annotations

from datetime import date

import polars as pl

from sandbox.truth.cells import members
from sandbox.truth.known import Known
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


def at_work(known: Known, period: Period) -> pl.DataFrame:
    """area_code, registration_kind, certified, high: each person at work once in each area, by the latest spell."""
    day = period.end
    working = known.spells.filter(
        (pl.col("start_date") <= day) & (pl.col("end_date").is_null() | (pl.col("end_date") >= day))
    ).sort("start_date", "employer_code")
    holders = valid(known.certificates, day)["person"].unique()
    high = highest(known.certificates, day).filter(pl.col("rank") >= 3)["person"]
    return (
        working.join(members(period.end), on="county")
        .unique(["area_code", "person"], keep="last", maintain_order=True)
        .select(
            "area_code",
            "registration_kind",
            certified=pl.col("person").is_in(holders.implode()),
            high=pl.col("person").is_in(high.implode()),
        )
    )


def certified_share(persons: pl.DataFrame) -> pl.DataFrame:
    """Certified persons among those at work, area by area."""
    return persons.group_by("area_code").agg(
        numerator=pl.col("certified").sum(), denominator=pl.len(), n_persons=pl.len()
    )
