"""The rows of a sheet, one after the other, and what is merged in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from threegaps.batch.decode.blocks import Part
from threegaps.batch.decode.faults import FaultKind
from threegaps.batch.decode.refusals import refuse_over_limit
from threegaps.batch.decode.xlsx.book import Book, Sheet
from threegaps.batch.decode.xlsx.cells import Cell
from threegaps.batch.decode.xlsx.xml_stream import Attributes, Events, names
from threegaps.contracts.model import Contract

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row with something in it: its number, from 1, and its cells in order."""

    number: int
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged area: rows and columns, from 1, both ends included."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int

    @property
    def cells(self) -> str:
        """Its area as people write it."""
        return f"{reference(self.first_row, self.first_column)}:{reference(self.last_row, self.last_column)}"


@dataclass(frozen=True, slots=True)
class Survey:
    """What a sheet holds: rows with something in them, the last of these, and merged areas."""

    rows: int
    last_row: int
    merges: tuple[Merge, ...]


def reference(row: int, column: int) -> str:
    """A cell as people write it: F7."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


class SheetReader:
    """Reads the sheets of a workbook in streams.

    Args:
        contract: The feed's contract.
        part: The landed object.
        book: The workbook.
    """

    def __init__(self, contract: Contract, part: Part, book: Book) -> None:
        self._contract, self._part, self._book = contract, part, book
        self._limits = contract.file_format.limits
        self._cells_read = 0

    def survey(self, sheet: Sheet) -> Survey:
        """Read a sheet once, to know what is merged in it before its rows come.

        Raises:
            FeedError: It is damaged or over a limit.
        """
        merges: list[Merge] = []
        rows = last = 0
        for row in self._rows(sheet, merges):
            rows, last = rows + 1, row.number
        return Survey(rows, last, tuple(merges))

    def rows(self, sheet: Sheet) -> Iterator[SheetRow]:
        """The rows of a sheet that have something in them.

        Raises:
            FeedError: It is damaged or over a limit.
        """
        return self._rows(sheet, [])

    def _rows(self, sheet: Sheet, merges: list[Merge]) -> Iterator[SheetRow]:
        handler = _Handler(self, sheet, merges)
        events = Events(
            self._book.container,
            names("sheetData", "row", "c", "v", "f", "is", "t", "rPh", "mergeCell"),
            handler.start,
            handler.end,
            handler.text,
        )
        for _ in events.steps(self._book.container.chunks(sheet.path)):
            if handler.done:
                done, handler.done = handler.done, []
                for row in done:
                    self._cells_read += len(row.cells)
                    yield row
                if self._cells_read > 2 * self._limits.cells:
                    # Each sheet is read twice: once to know what is merged.
                    refuse_over_limit(self._contract, self._part, "more cells", "cells", self._limits.cells)

    def refuse(self, sheet: Sheet, why: str) -> NoReturn:
        """Refuse the workbook for what is wrong with a sheet.

        Raises:
            FeedError: Always.
        """
        self._book.container.refuse(f"sheet {sheet.position}: {why}")

    def refuse_over(self, sheet: Sheet, row: int, what: str, limit: str, allowed: int) -> NoReturn:
        """Refuse the workbook for what a sheet has too much of.

        Raises:
            FeedError: Always.
        """
        where = f"in row {row} of sheet {sheet.position} " if row else f"on sheet {sheet.position} "
        refuse_over_limit(self._contract, self._part, f"{where}{what}", limit, allowed)

    def read_cell(self, column: int, kind: str, style: str, value: str | None, *, has_formula: bool) -> Cell | None:
        """The cell as text; see `CellReader.read`."""
        if value is not None and len(value) > self._limits.cell_characters:
            return Cell(column, None, FaultKind.TOO_LONG)
        cell = self._book.cells.read(column, kind, style, value, has_formula=has_formula)
        if cell is not None and cell.text is not None and len(cell.text) > self._limits.cell_characters:
            return Cell(column, None, FaultKind.TOO_LONG)
        return cell

    @property
    def most_columns(self) -> int:
        """The last column in which there may be a cell."""
        return self._limits.columns

    @property
    def most_merges(self) -> int:
        """How many merged areas a sheet may have."""
        return self._limits.merges

    @property
    def most_characters(self) -> int:
        """How long a value may be."""
        return self._limits.cell_characters


class _Handler:
    """Puts a sheet's events together to rows."""

    def __init__(self, reader: SheetReader, sheet: Sheet, merges: list[Merge]) -> None:
        self._reader, self._sheet, self._merges = reader, sheet, merges
        self.done: list[SheetRow] = []
        self._is_data = False
        self._row = self._column = 0
        self._cells: list[Cell] = []
        self._kind = self._style = ""
        self._pieces: list[str] = []
        self._characters = 0
        self._has_value = self._has_formula = self._is_text = self._is_phonetic = False

    def start(self, local: str, attributes: Attributes) -> None:
        """An element begins."""
        match local:
            case "c":
                self._begin_cell(attributes)
            case "v":
                self._is_text = self._has_value = True
            case "f":
                self._has_formula = True
            case "row":
                self._begin_row(attributes)
            case "t":
                self._is_text = not self._is_phonetic
                self._has_value = True
            case "rPh":
                self._is_phonetic = True
            case "mergeCell":
                self._add_merge(attributes.get("ref", ""))
            case "sheetData":
                self._is_data = True

    def end(self, local: str) -> None:
        """An element ends."""
        match local:
            case "c":
                self._end_cell()
            case "v" | "t":
                self._is_text = False
            case "row":
                if self._cells:
                    self.done.append(SheetRow(self._row, self._cells))
                    self._cells = []
            case "rPh":
                self._is_phonetic = False
            case "sheetData":
                self._is_data = False

    def text(self, piece: str) -> None:
        """Text, of a value or between elements."""
        if self._is_text and self._is_data:
            self._characters += len(piece)
            # One piece more than may be is enough to know that it is too much.
            if self._characters - len(piece) <= self._reader.most_characters:
                self._pieces.append(piece)

    def _begin_row(self, attributes: Attributes) -> None:
        written = attributes.get("r")
        number = self._row + 1 if written is None else _whole(written)
        if not self._row < number <= LAST_ROW:
            self._reader.refuse(self._sheet, "its rows are not in order")
        self._row, self._column, self._cells = number, 0, []

    def _begin_cell(self, attributes: Attributes) -> None:
        written = attributes.get("r")
        column = self._column + 1
        if written is not None:
            match = _REFERENCE.fullmatch(written)
            if match is None or int(match[2]) != self._row or (column := column_of(match[1])) <= self._column:
                self._reader.refuse(self._sheet, f"the cells of row {self._row} are not in order")
        if column > self._reader.most_columns:
            self._reader.refuse_over(self._sheet, self._row, f"a cell in column {column:,}", "columns",
                                     self._reader.most_columns)  # fmt: skip
        self._column = column
        self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
        self._pieces, self._characters = [], 0
        self._has_value = self._has_formula = False

    def _end_cell(self) -> None:
        value = "".join(self._pieces) if self._has_value else None
        if value is not None or self._has_formula:
            cell = self._reader.read_cell(self._column, self._kind, self._style, value, has_formula=self._has_formula)
            if cell is not None:
                self._cells.append(cell)

    def _add_merge(self, written: str) -> None:
        first, _, last = written.partition(":")
        one, other = _REFERENCE.fullmatch(first), _REFERENCE.fullmatch(last or first)
        if one is None or other is None:
            self._reader.refuse(self._sheet, "a merged area cannot be read")
        merge = Merge(int(one[2]), column_of(one[1]), int(other[2]), column_of(other[1]))
        if merge.first_row > merge.last_row or merge.first_column > merge.last_column:
            self._reader.refuse(self._sheet, "a merged area cannot be read")
        self._merges.append(merge)
        if len(self._merges) > self._reader.most_merges:
            self._reader.refuse_over(self._sheet, 0, "more merged areas", "merges", self._reader.most_merges)


def column_of(letters: str) -> int:
    """The number, from 1, of a column that is written in letters."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
