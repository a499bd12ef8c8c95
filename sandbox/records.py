"""What is wrong in what was sent: for the truth, by file or table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from sandbox import feeds
from sandbox.dirt.spoil import refused
from sandbox.feeds.model import DataSet, Table
from sandbox.writers.versions import state

BAD_ROW = pl.Schema({
    "feed": pl.String(), "delivery": pl.String(), "source_name": pl.String(), "row_number": pl.Int64(),
    "key": pl.String(), "kind": pl.String(), "rules": pl.List(pl.String()),
})  # fmt: skip
COUNT = pl.Schema({
    "feed": pl.String(), "delivery": pl.String(), "source_name": pl.String(), "received": pl.Int64(),
    "refused": pl.Int64(), "duplicates": pl.Int64(),
})  # fmt: skip


@dataclass(slots=True)
class Records:
    """Wrong rows and counts of files, each with the day on which the file came (`_day`)."""

    bad_rows: list[pl.DataFrame] = field(default_factory=list)
    counts: list[pl.DataFrame] = field(default_factory=list)

    def note(
        self, rows: pl.DataFrame, feed: str, delivery: str, source_name: str, key: pl.Expr, day: date | None = None
    ) -> None:
        """Keep the wrong rows of a file or table and its counts."""
        place = {"feed": pl.lit(feed), "delivery": pl.lit(delivery), "source_name": pl.lit(source_name)}
        when = {"_day": pl.lit(day, pl.Date)}
        self.bad_rows.append(
            rows.filter(refused()).select(
                **place,
                row_number=pl.col("_row").cast(pl.Int64),
                key=key.cast(pl.String),
                kind="_kind",
                rules=pl.col("_rules").str.split(","),
                **when,
            )
        )
        self.counts.append(
            rows.select(
                received=pl.len().cast(pl.Int64),
                refused=refused().sum().cast(pl.Int64),
                duplicates=pl.col("_is_double").sum().cast(pl.Int64),
            ).select(**place, received="received", refused="refused", duplicates="duplicates", **when)
        )


def write_files(home: Path, records: Records) -> None:
    """Keep what is known of all files, those to come too."""
    folder = home / "truth" / "files"
    folder.mkdir(parents=True)
    pl.concat(records.bad_rows).write_parquet(folder / "bad_rows.parquet")
    pl.concat(records.counts).write_parquet(folder / "counts.parquet")


def publish(home: Path, day: date) -> None:
    """Write `bad_rows.parquet` and `counts.parquet` as things stand at the end of `day`.

    A file that came again counts as it came last.
    """
    folder = home / "truth"
    came = pl.read_parquet(folder / "files" / "counts.parquet").filter(pl.col("_day") <= day)
    file = ["feed", "delivery", "source_name"]
    last = came.sort("_day", maintain_order=True).unique(file, keep="last", maintain_order=True)
    bad = pl.read_parquet(folder / "files" / "bad_rows.parquet").join(
        last.select(*file, "_day"), on=[*file, "_day"], how="semi", maintain_order="left"
    )
    held = Records()
    for feed in feeds.every():
        if isinstance(feed.medium, DataSet | Table):
            rows = state(home, feed, f"{day} 23:59:59").with_columns(_row=pl.int_range(1, pl.len() + 1))
            held.note(rows, feed.name, "", feed.medium.name, pl.col("_key"))
    pl.concat([bad.select(*BAD_ROW), *(part.select(*BAD_ROW) for part in held.bad_rows)]).cast(BAD_ROW).write_parquet(
        folder / "bad_rows.parquet"
    )
    pl.concat([last.select(*COUNT), *(part.select(*COUNT) for part in held.counts)]).cast(COUNT).write_parquet(
        folder / "counts.parquet"
    )
