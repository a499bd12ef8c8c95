"""Those who left training in a quarter, and what they did afterwards."""

from __future__ import annotations

import polars as pl

from sandbox.truth.periods import Period


def exits_of(completed: pl.DataFrame, period: Period) -> pl.DataFrame:
    """The latest completed record of each person in the quarter."""
    return (
        completed.filter(pl.col("completion_date").is_between(period.start, period.end))
        .sort("completion_date", "enrollment_id")
        .unique("person", keep="last", maintain_order=True)
    )


def overlaps(exits: pl.DataFrame, spells: pl.DataFrame, first: pl.Expr, last: pl.Expr) -> pl.Series:
    """For each exit whether a spell of the person overlaps [first, last]."""
    joined = (
        exits.with_columns(_first=first, _last=last)
        .select("enrollment_id", "person", "_first", "_last")
        .join(spells.select("person", _s="start_date", _e="end_date"), on="person")
    )
    met = joined.filter(
        (pl.col("_s") <= pl.col("_last")) & (pl.col("_e").is_null() | (pl.col("_e") >= pl.col("_first")))
    )
    return exits["enrollment_id"].is_in(met["enrollment_id"].implode())


def with_entry(completed: pl.DataFrame, spells: pl.DataFrame, period: Period) -> pl.DataFrame:
    """The exits of a quarter with `at_entry`: whether the person was at work when the training began."""
    exits = exits_of(completed, period)
    return exits.with_columns(at_entry=overlaps(exits, spells, pl.col("start_date"), pl.col("start_date")))
