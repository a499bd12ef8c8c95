"""Names of divisions to codes, by the row's date (GB/T 2260)."""

from __future__ import annotations

import datetime as dt

import polars as pl

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.batch.normalise.types import read_dates
from threegaps.contracts.options.normalisations import CountyNames
from threegaps.standards.areas import code_named, codes_in_force


def county_names(option: CountyNames, texts: Texts, counts: Counts, *, last_day: dt.date | None) -> None:
    """Put the code of the one division that a name stands for in its place.

    Args:
        option: The column, and the one of the row's date.
        texts: The block's columns.
        counts: Takes the number of rows.
        last_day: The day on which a name holds whose option names no date: the delivery's last.
    """
    column = texts[option.column]
    written = column.texts
    city = pl.lit(None, dtype=pl.String) if option.city_column is None else texts[option.city_column].texts
    day = pl.lit(last_day, dtype=pl.Date) if option.date_column is None else read_dates(texts[option.date_column].texts)
    rows = pl.select(name=written, day=day, city=city)
    in_force = codes_in_force(option.area_levels)
    distinct = rows.filter(~pl.col("name").is_in(list(in_force))).unique()
    if distinct.is_empty():
        return
    codes = [code_named(name, day, option.area_levels, city=of) for name, day, of in distinct.iter_rows()]
    found = rows.join(
        distinct.with_columns(code=pl.Series(codes, dtype=pl.String)),
        on=["name", "day", "city"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )["code"]
    counts.add("county_names", option.column, len(found) - found.null_count())
    column.change_all(found.fill_null(written))
