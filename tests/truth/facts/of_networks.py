"""The facts of what counties offer: forecasts, channels, directories, places and training sites."""

from __future__ import annotations

import polars as pl

from sandbox.population import places as population
from tests.truth.facts.registry import Sent, code, fills, stated


@fills("fct_demand_forecast")
def forecasts(sent: Sent) -> pl.DataFrame:
    """Forecasts of skill demand."""
    return sent.scene.accepted["hrss/demand_forecasts"].select(
        "scope",
        forecast_id=pl.col("entry").cast(pl.String),
        forecast_area_code="area",
        published_on="published",
    )


@fills("fct_guide_channel")
def channels(sent: Sent) -> pl.DataFrame:
    """Channels of the training guide."""
    return sent.scene.accepted["hrss/guide_channels"].select(
        channel_id=pl.col("entry").cast(pl.String),
        location_area_code=code("county"),
        channel_kind="kind",
        live_from="opened",
        live_to="closed",
    )


@fills("dim_directory_entry")
def directory_entries(sent: Sent) -> pl.DataFrame:
    """Entries of directories."""
    return sent.scene.accepted["hrss/training_directories"].select(
        "directory_id", "directory_kind", "area_code", "entry_code", "valid_from", "valid_until", "revised_on",
        *map(stated, ("occupation_code", "provider_uscc")),
    )  # fmt: skip


@fills("dim_place")
def places(sent: Sent) -> pl.DataFrame:
    """Townships and the places of the axis."""
    return sent.scene.accepted["agriculture/places"].select(
        "place_kind", "population", "population_year", "longitude", "latitude", "valid_from", "valid_until",
        stated("tier"),
        place_code=pl.col("entry").str.head(12),
        county_code=code("county"),
        township_name=population.township_name("township"),
    )  # fmt: skip


@fills("dim_training_site")
def sites(sent: Sent) -> pl.DataFrame:
    """Training bases and sites."""
    place_code = population.place_code(code("county"), "township", "village")
    return sent.scene.accepted["hrss/training_sites"].select(
        "longitude", "latitude", "opened_on", "closed_on",
        site_id="key",
        county_code=code("county"),
        township_name=population.township_name("township"),
        place_code=pl.when("has_place_code").then(place_code),
        status=pl.when(pl.col("closed_on").is_null()).then(pl.lit("1")).otherwise(pl.lit("0")),
    )  # fmt: skip
