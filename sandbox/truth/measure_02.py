"""Measure 2: the network of training sites and what guides people to it."""

from __future__ import annotations

import polars as pl

from sandbox.feeds.hrss.guide_channels import CHANNEL_KINDS
from sandbox.truth.cells import Cells
from sandbox.truth.counties import one_a_county
from sandbox.truth.known import Known
from sandbox.truth.periods import days
from sandbox.truth.registry import computes

CHANNELS = dict(zip(CHANNEL_KINDS, ("government_site", "service_centre", "labour_market"), strict=True))


@computes("M02-4")
def guide_channels(cells: Cells, known: Known) -> None:
    """Kinds of channels that are live in a county, of the three that it should have."""
    channels = known.accepted["hrss/guide_channels"]
    required = one_a_county().join(pl.DataFrame({"kind": list(CHANNELS)}), how="cross")
    for period in days("quarter", "year"):
        is_open = (pl.col("opened") <= period.end) & (pl.col("closed").is_null() | (pl.col("closed") >= period.end))
        live = channels.filter(is_open).select("county", "kind").unique().with_columns(is_live=True)
        rows = required.join(live, on=["county", "kind"], how="left")
        cells.ratio("M02-4", period, rows, pl.col("is_live"))
        for kind, label in CHANNELS.items():
            part = rows.filter(pl.col("kind") == kind)
            cells.ratio("M02-4", period, part, pl.col("is_live"), ("channel_kind", label))
