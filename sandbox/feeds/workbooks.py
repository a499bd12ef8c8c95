"""Workbooks that hold the sheets of several feeds: each feed makes its own pages, and they are bound here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from sandbox.feeds.model import Consignment, Feed, File, Frame, Page, Scene, Versions
from sandbox.writers.workbook import write_workbook


def consignments(scene: Scene, together: tuple[Feed, ...]) -> Iterator[Versions | Consignment]:
    """What feeds that are sent together send.

    Raises:
        ValueError: Feeds of one workbook do not make a page each for the same times.
    """
    made = [feed.make(scene) for feed in together]
    for pages in zip(*made, strict=True):
        first = pages[0]
        if isinstance(first, Page) or len(pages) > 1:
            yield _bound(together, [page for page in pages if isinstance(page, Page)])
        else:
            yield first


def _bound(together: tuple[Feed, ...], pages: list[Page]) -> Consignment:
    """One consignment of the pages of one time; `_feed` says whose each row is."""
    if len(pages) != len(together) or len({page.due for page in pages}) != 1:
        raise ValueError(f"the pages of {together[0].sent_as} are not of one time")
    rows = pl.concat(
        [page.rows.with_columns(_feed=pl.lit(feed.name)) for feed, page in zip(together, pages, strict=True)],
        how="diagonal",
    )
    name = f"{together[0].workbook}_{pages[0].due.delivery}.xlsx"
    return Consignment(pages[0].due, rows, _files(name, together, pages))


def _files(name: str, together: tuple[Feed, ...], pages: list[Page]) -> Callable[[Frame], list[File]]:
    def files(rows: Frame) -> list[File]:
        sheets = [
            sheet
            for feed, page in zip(together, pages, strict=True)
            for sheet in page.sheets(rows.filter(pl.col("_feed") == feed.name))
        ]
        return [File(name, lambda path: write_workbook(rows, sheets, path), pl.col("_key"))]

    return files
