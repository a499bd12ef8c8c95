"""The facts of what counties offer: forecasts, channels and directories."""

from __future__ import annotations

import polars as pl

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
