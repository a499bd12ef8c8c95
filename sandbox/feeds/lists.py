"""Lists that come whole again and again, and the sheets that they stand on.

What is wrong in an entry is wrong in each list, so that a refused one is never half known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from sandbox.calendar import Span
from sandbox.dirt.kinds import Kind
from sandbox.dirt.spoil import apply_plan, kinds_by, not_refused, spoil
from sandbox.feeds.model import Consignment, Due, File, Frame, Page, Scene
from sandbox.writers.workbook import Cell, Line, Sheet, excel_amount, excel_date, excel_number, write_workbook

NOTE = "注：本表为合成数据，仅供试运行"


@dataclass(frozen=True, slots=True)
class Listing:
    """How a department lists what it has.

    Args:
        feed: The feed's name.
        entries: All that there ever is, typed; `entry`, a number or a text, tells them apart.
        kinds: What may be wrong.
        listed: The entries as at a day, as text in canonical columns, with `entry`.
    """

    feed: str
    entries: Frame
    kinds: list[Kind]
    listed: Callable[[Frame, date], Frame]


def repeated(scene: Scene, listing: Listing, spans: list[Span]) -> Iterator[tuple[Span, Frame]]:
    """The list at the end of each span, dirty in the same entries; what is right is kept for the truth."""

    def at(span: Span) -> Frame:
        return (
            listing.listed(listing.entries, span.last).with_columns(_key=pl.col("entry").cast(pl.String)).drop("entry")
        )

    spoilt = spoil(at(spans[-1]), listing.kinds, scene.parameters.dirt, scene.stream(listing.feed))
    kind_of = kinds_by(spoilt, "_key")
    known = listing.entries.with_columns(key=pl.col("entry").cast(pl.String))
    scene.accepted[listing.feed] = not_refused(known, spoilt, "key").drop("key")
    for span in spans:
        yield span, apply_plan(at(span), listing.kinds, kind_of, "_key")


def pages(
    scene: Scene, listing: Listing, spans: list[Span], sheets: Callable[[Frame, Span], list[Sheet]]
) -> Iterator[Page]:
    """The list's own sheets of a workbook that holds others besides, one for each span."""
    for span, rows in repeated(scene, listing, spans):
        yield Page(Due(span.last, span.key), rows, lambda found, span=span: sheets(found, span))  # type: ignore[misc]


def workbooks(
    scene: Scene, listing: Listing, spans: list[Span], sheets: Callable[[Frame, Span], list[Sheet]]
) -> Iterator[Consignment]:
    """A workbook of its own for each span, called by the feed and the delivery."""
    stem = listing.feed.split("/")[1]

    def files(span: Span) -> Callable[[Frame], list[File]]:
        def made(rows: Frame) -> list[File]:
            name = f"{stem}_{span.key}.xlsx"
            return [File(name, lambda path: write_workbook(rows, sheets(rows, span), path), pl.col("_key"))]

        return made

    for span, rows in repeated(scene, listing, spans):
        yield Consignment(Due(span.last, span.key), rows, files(span))


def table(name: str, title: str, header: Mapping[str, str], rows: Frame) -> Sheet:
    """A sheet: title over the table, header, data with running numbers, a last 合计 row and a note.

    Args:
        name: The sheet's.
        title: Its first line.
        header: Canonical column to the department's name for it, without 序号.
        rows: The rows as text.
    """
    lines = [Line([f"{title}（合成数据）"]), Line(["序号", *header.values()])]
    lines += data_lines(rows, header)
    lines += [Line(["合计", *[None] * (len(header) - 1), f"{len(rows)}条"]), Line([NOTE])]
    return Sheet(name, lines, merged=(f"A1:{chr(ord('A') + len(header))}1",))


def data_lines(rows: Frame, header: Mapping[str, str]) -> list[Line]:
    """The rows with their running numbers, cells as a clerk's Excel has them."""
    return [
        Line([number, *(_cell(column, text, number) for column, text in zip(header, row, strict=True))], is_data=True)
        for number, row in enumerate(rows.select(*header).iter_rows(), 1)
    ]


def _cell(column: str, text: str, number: int) -> Cell:
    """Counts and amounts are mostly numbers, some of them text; every second plain date is a real one."""
    if column.endswith(("_on", "_from", "_to")):
        return excel_date(text, as_date=number % 2 == 0)
    if column.endswith(("members", "times", "certificates")):
        return excel_number(text, as_text=number % 13 == 0)
    if column.endswith(("amount", "budget", "spent", "transferred_in")):
        return excel_amount(text)
    return text or None
