"""Coordinates whose longitude stands in the column of the latitude, and the other way round."""

from __future__ import annotations

import polars as pl

from threegaps.batch.normalise.text_columns import Counts, Texts
from threegaps.contracts.options.normalisations import Coordinates

LONGITUDES, LATITUDES = (118.0, 123.5), (27.0, 31.5)
"""Zhejiang with its islands, in degrees."""


def coordinates(option: Coordinates, texts: Texts, counts: Counts) -> None:
    """Put each swapped pair right; half a pair tells nothing, and what lies elsewhere stays."""
    longitudes, latitudes = texts[option.longitude_column], texts[option.latitude_column]
    frame = pl.DataFrame({"longitude": longitudes.texts, "latitude": latitudes.texts})
    degrees = pl.all().cast(pl.Float64, strict=False)
    is_swapped = frame.with_columns(degrees).select(
        (pl.col("longitude").is_between(*LATITUDES) & pl.col("latitude").is_between(*LONGITUDES)).fill_null(value=False)
    )
    swapped = is_swapped.to_series()
    if swapped.any():
        counts.add("coordinates", option.longitude_column, int(swapped.sum()))
        put_right = frame.select(
            longitude=pl.when(swapped).then("latitude").otherwise("longitude"),
            latitude=pl.when(swapped).then("longitude").otherwise("latitude"),
        )
        longitudes.change_all(put_right["longitude"])
        latitudes.change_all(put_right["latitude"])
