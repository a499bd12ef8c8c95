"""What a county has or has not, of its own or through its city."""

from __future__ import annotations

import polars as pl

from sandbox import areas


def one_a_county() -> pl.DataFrame:
    """county (index), code, and of a district (市辖区) alone `city`: its city may stand for it."""
    table = areas.counties()
    is_district = pl.col("division_type") == "district"
    return table.select(
        county=areas.index_of(pl.col("county_code")),
        code="county_code",
        city=pl.when(is_district).then("city_code"),
        person=pl.lit(None, pl.Int64),
    )


def with_own_or_citys(counties: pl.DataFrame, issued: pl.Series) -> pl.DataFrame:
    """*counties* with `has`: whether *issued*, codes of areas, holds the county's or, of a district, its city's."""
    by_itself, by_city = (pl.col(column).is_in(issued.implode()) for column in ("code", "city"))
    return counties.with_columns(has=by_itself | by_city.fill_null(value=False))
