"""What the gateway and the databases hold: every version of every row, with the time for which it stood."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sandbox.feeds.model import DataSet, Feed, Table, Versions

HELPERS = ("_from", "_until", "_key", "_kind", "_rules", "_is_double")


def store_of(home: Path, feed: Feed) -> Path:
    """The file that holds the versions of a feed."""
    if isinstance(feed.medium, DataSet):
        return home / "gateway" / f"{feed.medium.name}.parquet"
    if isinstance(feed.medium, Table):
        return home / "database" / feed.department / f"{feed.medium.name}.parquet"
    raise TypeError(f"{feed.name} comes as files")


def write_versions(home: Path, feed: Feed, versions: Versions) -> None:
    """Store the versions under the medium's own column names, in its order."""
    medium = feed.medium
    if not isinstance(medium, DataSet | Table):
        raise TypeError(f"{feed.name} comes as files")
    path = store_of(home, feed)
    path.parent.mkdir(parents=True, exist_ok=True)
    order = list(medium.order) if isinstance(medium, DataSet) else [medium.moment]
    versions.rows.select(*medium.fields, *HELPERS).rename(medium.fields).sort(order, maintain_order=True).write_parquet(
        path
    )


def state(home: Path, feed: Feed, as_of: str) -> pl.DataFrame:
    """Rows as the department held them at `as_of` (Shanghai wall clock), with the helper columns."""
    return at(pl.read_parquet(store_of(home, feed)), as_of)


def at(rows: pl.DataFrame, as_of: str) -> pl.DataFrame:
    """The rows that stood at `as_of`."""
    return rows.filter((pl.col("_from") <= as_of) & ((pl.col("_until") == "") | (pl.col("_until") > as_of)))
