"""Rosters whose entries have a first and a last day, as a gateway holds them: an entry is open before it has ended."""

from __future__ import annotations

import polars as pl

from sandbox.calendar import FIRST_MONTH
from sandbox.dirt.kinds import Kind
from sandbox.dirt.spoil import CLEAN, spoil
from sandbox.feeds.model import Scene, Versions


def dated_versions(rows: pl.DataFrame, kinds: list[Kind], scene: Scene, name: str) -> Versions:
    """The last state of each entry, and of those that ended the open one before it.

    Args:
        rows: Entries as text, with `valid_from`, `valid_until` (empty while it holds) and `_key`.
        kinds: The dirt.
        scene: Gives the share of dirty rows and the horizon.
        name: The feed, whose stream is drawn from.
    """
    ended = pl.col("valid_until") != ""
    current = rows.with_columns(
        _from=pl.format("{} 09:00:00", pl.when(ended).then("valid_until").otherwise("valid_from")),
        _until=pl.lit(""),
    )
    opened = current.filter(ended & (pl.col("valid_from") < pl.col("valid_until"))).with_columns(
        valid_until=pl.lit(""), _from=pl.format("{} 09:00:00", "valid_from"), _until="_from", **CLEAN
    )
    # What was open before may only become wrong where it ended before the window: nobody here saw it open.
    before = pl.col("valid_until") < f"{FIRST_MONTH}"
    spoilt = spoil(current, kinds, scene.parameters.dirt, scene.stream(name), ~ended | before)
    return Versions(pl.concat([spoilt, opened]))
