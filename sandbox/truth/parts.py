"""What persons are broken down by, by its written definition."""

from __future__ import annotations

import polars as pl

SEX = pl.col("sex").fill_null("unstated")
URBAN_RURAL = pl.col("urban_rural_code").fill_null("").str.extract("^([12])").fill_null("unstated")


def age_band(age: pl.Expr) -> pl.Expr:
    """The band of an age in years; not stated of those who are younger than 16 or of no known age."""
    labels = ["unstated", "16-24", "25-34", "35-44", "45-54", "55+"]
    return age.cut([16, 25, 35, 45, 55], labels=labels, left_closed=True).cast(pl.String).fill_null("unstated")
