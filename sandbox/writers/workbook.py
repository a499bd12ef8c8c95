"""Excel workbooks: lines of cells on one or several sheets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl
from openpyxl import Workbook

Cell = str | int | float | date | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a sheet; data lines are the rows of the feed, in their order."""

    cells: list[Cell]
    is_data: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet."""

    name: str
    lines: list[Line]
    merged: tuple[str, ...] = ()
    state: Literal["visible", "hidden", "veryHidden"] = "visible"


def write_workbook(rows: pl.DataFrame, sheets: list[Sheet], path: Path) -> pl.DataFrame:
    """Write the sheets. Returns `rows` with the Excel row of each on its sheet (`_row`)."""
    # Streamed rather than held: faster, and flat in memory.
    book = Workbook(write_only=True)
    numbers: list[int] = []
    for content in sheets:
        sheet = book.create_sheet(content.name)
        sheet.sheet_state = content.state
        for cells in content.merged:
            sheet.merged_cells.add(cells)
        for number, line in enumerate(content.lines, 1):
            sheet.append(line.cells)
            if line.is_data:
                numbers.append(number)
    book.save(path)
    return rows.with_columns(_row=pl.Series(numbers, dtype=pl.Int64))


def excel_number(text: str, *, as_text: bool = False) -> Cell:
    """A count as Excel holds it: a number, or now and then the text; other texts stay, empty ones are no cell."""
    if text and text.isascii() and text.isdigit() and not as_text:
        return int(text)
    return text or None


def excel_date(text: str, *, as_date: bool) -> Cell:
    """A day as Excel holds it: a serial as a number, a plain date as a real one where asked for, else the text."""
    if text.isascii() and text.isdigit() and len(text) == 5:
        return int(text)
    if as_date and len(text) == 10 and text[4] == "-" and text.isascii():
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text
    return text or None
