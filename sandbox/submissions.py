"""How many rows a department sends at first, and how many of them are right."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sandbox.calendar import OPENING_DAY
from sandbox.dirt.spoil import refused
from sandbox.feeds.model import Consignment, Feed, Frame, Scene, Versions
from sandbox.feeds.workbooks import consignments
from sandbox.writers.versions import at

CORRECTION = "correction"


def made(scene: Scene, together: tuple[Feed, ...]) -> Iterator[Versions | Consignment]:
    """What feeds that are sent together send, each counted in the scene as it comes.

    A correction is no first submission. Of a data set or table it is what stands at the end of the opening day, of no
    delivery.
    """
    for sent in consignments(scene, together):
        if isinstance(sent, Versions):
            scene.submitted.append(_counted(at(sent.rows, f"{OPENING_DAY} 23:59:59"), together[0].name, ""))
        elif sent.due.part != CORRECTION:
            scene.submitted.append(_counted(sent.rows, together[0].name, sent.due.delivery))
        yield sent


def _counted(rows: Frame, feed: str, delivery: str) -> Frame:
    """feed, delivery, rows_received without those that stand there twice, and rows_accepted of them."""
    named = rows if "_feed" in rows.columns else rows.with_columns(_feed=pl.lit(feed))
    single = ~pl.col("_is_double")
    return named.group_by(feed="_feed").agg(
        delivery=pl.lit(delivery),
        rows_received=single.sum().cast(pl.Int64),
        rows_accepted=(single & ~refused()).sum().cast(pl.Int64),
    )
