"""What is decoded, a part, and what comes of it: blocks of rows whose values are text, and lines that are no rows."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import polars as pl

from threegaps.batch.decode.faults import Fault


@dataclass(frozen=True, slots=True)
class Part:
    """One landed object of a batch.

    Args:
        landed_object_id: Its id in the ledger.
        source_name: What the department called it.
        open: Opens its bytes for reading.
        is_correction: Whether it corrects what came before.
        is_replay: Whether it is a file of repairs in our own form: a JSON object a line, with the row's number and
            its texts by canonical name.
        delivery_end: The last day of its delivery: which headers it should have; those in force by default.
    """

    landed_object_id: int
    source_name: str
    open: Callable[[], BinaryIO]
    is_correction: bool = False
    is_replay: bool = False
    delivery_end: dt.date = dt.date.max


@dataclass(frozen=True, slots=True)
class StructuralLine:
    """A line that is no row: a title, a header, a total, a note, a blank.

    Args:
        reason: What it is.
        line: Its line in the file, or its row in the sheet, from 1.
        sheet: The sheet's position in the workbook, from 1; None where there are no sheets.
    """

    reason: str
    line: int
    sheet: int | None = None


@dataclass(frozen=True, slots=True)
class FaultyRow:
    """A row of which something could not be had.

    Args:
        row_number: Its number among the data rows of the part, from 1.
        line: Where it stands; see `StructuralLine`.
        faults: What could not be had, and where; empty where the row only has another number of fields.
        values: Its texts by canonical name, as far as they could be had; None where it is not known which is which.
        fields: How many fields it has, where that is not as many as the header.
        sheet: The position of its sheet, as in `StructuralLine`.
    """

    row_number: int
    line: int
    faults: tuple[Fault, ...] = ()
    values: Mapping[str, str | None] | None = None
    fields: int | None = None
    sheet: int | None = None


@dataclass(slots=True)
class TextBlock:
    """Rows of one part as text, by canonical column names.

    ``row_numbers`` counts data rows of the part from 1, ``faulty`` ones included; ``lines`` are the lines that the rows
    stand in, one after the other from ``first_line`` on where it is None; ``sheets`` are their sheets, all of them
    ``sheet`` where it is None; ``structural`` counts lines that are no data, by reason, and ``noted`` has the positions
    of some; ``is_plain`` says that no text holds a comma, a quote or the end of a line.
    """

    part: Part
    frame: pl.DataFrame
    row_numbers: pl.Series
    physical_lines: int
    structural: Counter[str] = field(default_factory=Counter)
    noted: list[StructuralLine] = field(default_factory=list)
    faulty: list[FaultyRow] = field(default_factory=list)
    first_line: int = 1
    lines: pl.Series | None = None
    sheet: int | None = None
    sheets: pl.Series | None = None
    is_plain: bool = False

    def line_of(self, place: int) -> int:
        """The line of the row at *place* of the frame."""
        return self.first_line + place if self.lines is None else int(self.lines[place])

    def every_line(self) -> pl.Series:
        """The line of each row of the frame."""
        if self.lines is not None:
            return self.lines
        end = self.first_line + self.frame.height
        return pl.int_range(self.first_line, end, dtype=pl.Int64, eager=True).alias("line")

    def sheet_of(self, place: int) -> int | None:
        """The sheet of the row at *place* of the frame."""
        return self.sheet if self.sheets is None else self.sheets[place]

    def every_sheet(self) -> pl.Series:
        """The sheet of each row of the frame."""
        if self.sheets is not None:
            return self.sheets
        return pl.repeat(self.sheet, self.frame.height, dtype=pl.Int64, eager=True).alias("sheet")

    def note(self, line: StructuralLine) -> None:
        """Count a structural line, and note where it stands."""
        self.structural[line.reason] += 1
        self.noted.append(line)

    @property
    def received(self) -> int:
        """How many rows the block has, faulty ones included."""
        return self.frame.height + len(self.faulty)


def consecutive_row_numbers(rows_before: int, rows: int) -> pl.Series:
    """Numbers of the *rows* rows of a block that *rows_before* rows of its part precede."""
    return pl.int_range(rows_before + 1, rows_before + 1 + rows, dtype=pl.Int32, eager=True).alias("row_number")
