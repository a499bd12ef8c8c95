"""Cells that are missing where a reader sees others like them, so that he knows: nobody is there.

He knows what is left out whatever was counted (months of counties in totals only, parts of the county groups by one
list), since it is never there, and that a total which is hidden has no parts.
"""

from __future__ import annotations

import polars as pl

from tests.disclosure.release import KEY

_PERIOD = ("period_type", "period_end")
_PART = ("breakdown", "breakdown_value")
# Areas of one level are served alike; of the county groups each by itself.
_ALIKE = pl.when(pl.col("area_level") == "group").then("area_code").otherwise("area_level").alias("alike")


def absent(shown: pl.DataFrame) -> pl.DataFrame:
    """The keys of the cells whose absence tells that nobody is in them.

    Args:
        shown: What is served, as of a release.
    """
    cells = shown.with_columns(_ALIKE)
    periods = cells.select("indicator_code", "area_level", *_PERIOD).unique()
    areas = cells.select("area_code", "area_level", "alike", *_PERIOD).unique()
    parts = cells.select("indicator_code", "period_type", "alike", *_PART).unique()
    totals = cells.filter(pl.col("breakdown") == "total").select(*KEY[:4], is_hidden="is_suppressed")
    return (
        periods.join(areas, on=["area_level", *_PERIOD])
        .join(parts, on=["indicator_code", "period_type", "alike"])
        .join(cells, on=KEY, how="anti")
        .join(totals, on=KEY[:4], how="left")
        .filter((pl.col("breakdown") == "total") | ~pl.col("is_hidden").fill_null(value=False))
        .select(KEY)
    )
