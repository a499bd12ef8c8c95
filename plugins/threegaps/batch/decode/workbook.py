"""Sheets of an Excel workbook with title rows and a header of one or several rows, whose groups are merged cells.

A sheet that holds rows and that nobody reads stops the batch: it may be the half of a roster.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal

import polars as pl

from threegaps.batch.decode.blocks import FaultyRow, Part, StructuralLine, TextBlock
from threegaps.batch.decode.faults import Fault, FaultKind
from threegaps.batch.decode.header import Header, check_header, complete_frame, match_header
from threegaps.batch.decode.layout import Layout, workbook_layout
from threegaps.batch.decode.refusals import refuse_over_limit
from threegaps.batch.decode.repeated import HeaderRow
from threegaps.batch.decode.xlsx.book import Book, Sheet, read_book
from threegaps.batch.decode.xlsx.cells import Cell
from threegaps.batch.decode.xlsx.container import open_container
from threegaps.batch.decode.xlsx.merges import Covered, carried_right, unmerged
from threegaps.batch.decode.xlsx.sheet import Merge, SheetReader, SheetRow, Survey, reference
from threegaps.contracts.model import Contract
from threegaps.contracts.options.formats import (
    AllSheets,
    FirstSheet,
    MatchingSheets,
    NamedSheets,
    WorkbookFormat,
)
from threegaps.errors import FeedError
from threegaps.standards.areas import code_named, codes_in_force
from threegaps.standards.white_space import WHITE_SPACE, is_blank, without_white_space

_BLOCK_ROWS = 20_000
_DAYS = frozenset({"date", "timestamp"})
# What a number or text may be as a serial of this century or the last; others are no days, or say them otherwise.
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_SHIFT_OF_1904 = 1_462
"""Days from the first day of one date system to that of the other."""


def decode_workbook(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
    """The rows of the declared sheets, in the workbook's order, in blocks.

    Raises:
        FeedError: The file is empty, no workbook or over a limit, a sheet that holds rows is not read, that of a county
            is missing, or a sheet has not the declared columns.
    """
    del block_bytes
    declared, layout = workbook_layout(contract, part)
    with open_container(contract, part) as container:
        book = read_book(contract, part, container)
        reader = SheetReader(contract, part, book)
        chosen = _chosen(contract, part, declared, book)
        _refuse_unread(contract, part, declared, book, reader, chosen)
        rows_before = read = 0
        for sheet in chosen:
            survey = reader.survey(sheet)
            if not survey.rows and not isinstance(declared.sheets, NamedSheets | FirstSheet):
                continue
            is_of_county = isinstance(declared.sheets, AllSheets) and declared.sheets.each_county
            if is_of_county and survey.last_row <= declared.title_rows:
                # The title alone says that the county has nothing to list.
                continue
            read += 1
            decoder = _SheetDecoder(contract, part, declared, layout, book, sheet, survey)
            for block in decoder.blocks(reader, rows_before):
                rows_before += block.received
                yield block
                if rows_before > declared.limits.rows:
                    refuse_over_limit(contract, part, "more rows", "rows", declared.limits.rows)
        if not read:
            raise FeedError("No sheet of the workbook holds any row.", feed=contract.feed, file=part.source_name,
                            advice="ask the department to send it again.",
                            sender_advice="write the rows into the sheet that the contract names.")  # fmt: skip


def _chosen(contract: Contract, part: Part, declared: WorkbookFormat, book: Book) -> list[Sheet]:
    """The sheets that the contract has read."""
    for sheet in book.sheets:
        if not declared.sheets_without_rows.has(sheet.name) and declared.is_claimed_twice(sheet.name):
            raise FeedError(
                f"Sheet {sheet.position} of {len(book.sheets)} has a name that fits the sheets of several feeds.",
                feed=contract.feed,
                file=part.source_name,
                advice="ask the department to call it otherwise, or narrow the patterns in customProperties/fileFormat"
                " of the contracts that share the workbook.",
                sender_advice="give the sheet a name that fits one feed alone.",
            )
    others = [sheet for sheet in book.sheets if not declared.passes_over(sheet.name)]
    match declared.sheets:
        case FirstSheet():
            found = [sheet for sheet in others if not sheet.is_hidden][:1]
            missing = "" if found else "a sheet that can be seen"
        case NamedSheets(names=names):
            found = [sheet for sheet in others if sheet.name in names]
            missing = ", ".join(name for name in names if name not in {sheet.name for sheet in found})
        case MatchingSheets(pattern=pattern):
            found = [sheet for sheet in others if re.fullmatch(pattern, sheet.name)]
            missing = "" if found else "a sheet whose name has the declared form"
        case AllSheets():
            found, missing = others, "" if others else "a sheet with rows"
            if declared.sheets.each_county and not part.is_correction:
                _refuse_absent_counties(contract, part, others)
    if missing:
        raise FeedError(
            f"The workbook has {len(book.sheets)} sheets, and lacks {missing}.",
            feed=contract.feed,
            file=part.source_name,
            advice="ask the department whether sheets were renamed; if it is meant, change"
            " customProperties/fileFormat/sheets of the contract.",
            sender_advice="name the sheets as agreed.",
        )
    return found


def _refuse_absent_counties(contract: Contract, part: Part, sheets: list[Sheet]) -> None:
    """Refuse a workbook in which a county has no sheet: what it would have listed could not be had, and is not none."""
    named = {code_named(sheet.name, part.delivery_end) for sheet in sheets}
    absent = sorted(code for code in codes_in_force() if code not in named)
    if absent:
        raise FeedError(
            f"The workbook lacks the sheets of {len(absent)} of {len(codes_in_force())} counties: {', '.join(absent)}.",
            feed=contract.feed,
            file=part.source_name,
            advice="ask the department to send it again with a sheet for every county, named after it and left blank"
            " where there is nothing to list; if sheets are no longer to be had for all, change"
            " customProperties/fileFormat/sheets/eachCounty of the contract.",
            sender_advice="add a sheet for every county, named after it and left blank where there is nothing to list.",
        )


def _refuse_unread(
    contract: Contract,
    part: Part,
    declared: WorkbookFormat,
    book: Book,
    reader: SheetReader,
    chosen: list[Sheet],
) -> None:
    """Refuse a workbook in which a sheet holds rows that nobody would read."""
    known = {sheet.position for sheet in chosen}
    for sheet in book.sheets:
        if sheet.position in known or declared.passes_over(sheet.name):
            continue
        rows = reader.survey(sheet).rows
        if rows:
            read = ", ".join(str(position) for position in sorted(known))
            hidden = ", hidden," if sheet.is_hidden else ""
            raise FeedError(
                f"Sheet {sheet.position} of {len(book.sheets)}{hidden} holds {rows} rows that"
                f" nobody reads: the contract has sheet {read} read.",
                feed=contract.feed,
                file=part.source_name,
                advice="open it: if they are data, declare the sheet in customProperties/fileFormat/sheets of the"
                " contract, or in sheetsOfOtherFeeds where another contract reads it; if not, in sheetsWithoutRows.",
                sender_advice="move its rows to the sheet that is read, or take the sheet out of the file.",
            )


class _SheetDecoder:
    """Decodes one sheet."""

    def __init__(
        self,
        contract: Contract,
        part: Part,
        declared: WorkbookFormat,
        layout: Layout,
        book: Book,
        sheet: Sheet,
        survey: Survey,
    ) -> None:
        self._contract, self._part, self._declared, self._layout = contract, part, declared, layout
        self._sheet, self._survey = sheet, survey
        self._head_end = declared.title_rows + declared.header_rows
        self._values = dict(layout.values)
        self._values |= {column.name: sheet.name.strip(WHITE_SPACE) for column in contract.columns
                         if column.origin == "sheet_name"}  # fmt: skip
        self._days = frozenset(
            column.name for column in contract.columns if book.has_1904_dates and column.logical_type in _DAYS
        )
        self._booleans = frozenset(column.name for column in contract.columns if column.logical_type == "boolean")
        self._covered = Covered(survey.merges, self._head_end)
        self._header_rows: list[HeaderRow] = []

    def blocks(self, reader: SheetReader, rows_before: int) -> Iterator[TextBlock]:
        """The sheet's rows; its titles, header and blank rows are counted with the first ones."""
        self._check_merges()
        rows = reader.rows(self._sheet)
        head: dict[int, dict[int, str]] = {}
        first: SheetRow | None = None
        for row in rows:
            if row.number > self._head_end:
                first = row
                break
            head[row.number] = {cell.column: cell.text for cell in row.cells if cell.text is not None}
        written = [
            {column - 1: text for column, text in head.get(number, {}).items()}
            for number in range(self._declared.title_rows + 1, self._head_end + 1)
        ]
        header = self._header(head)
        self._header_rows = (
            [HeaderRow.of_columns(self._layout, header)]
            if len(written) == 1
            else [HeaderRow.as_written(texts) for texts in written]
        )
        block = _Rows(self, header, rows_before, self._head_end)
        for number in range(1, self._head_end + 1):
            block.structural("title" if number <= self._declared.title_rows else "header", number)
        while first is not None:
            block.add(first)
            first = next(rows, None)
            if block.size >= _BLOCK_ROWS:
                yield block.finish()
                block = block.following()
        yield block.finish()

    def _check_merges(self) -> None:
        """Refuse merged areas that cannot be meant: wider than any table, or one upon the other."""
        allowed = self._declared.limits.columns
        for merge in self._survey.merges:
            if merge.last_row > self._declared.title_rows and merge.last_column > allowed:
                refuse_over_limit(
                    self._contract,
                    self._part,
                    f"on sheet {self._sheet.position} a merged area of {merge.last_column:,} columns",
                    "columns",
                    allowed,
                )

    def _header(self, head: dict[int, dict[int, str]]) -> Header:
        """The header of the rows above the data, the levels of a column joined as declared."""
        first = self._declared.title_rows + 1
        width = max((column for number in head if number >= first for column in head[number]), default=0)
        if self._survey.last_row < self._head_end or not width:
            raise FeedError(
                f"Sheet {self._sheet.position} ends before its header.",
                feed=self._contract.feed,
                file=self._part.source_name,
                row=0,
                advice="open it: if it carries no rows, declare it in sheetsWithoutRows of the contract.",
                sender_advice="write the header where the contract says, or take the sheet out of the file.",
            )
        spread = max(
            (merge.last_column for merge in self._survey.merges if first <= merge.first_row <= self._head_end),
            default=0,
        )
        width = max(width, min(spread, self._declared.limits.columns))
        unmerged(head, self._survey.merges, first, self._head_end, width)
        header = match_header(self._layout, self._names(head, first, width))
        if header.missing or header.unknown:
            # Groups that are not merged stand over the columns up to the next one.
            carried = match_header(self._layout, self._names(carried_right(head, first, self._head_end), first, width))
            if len(carried.missing) + len(carried.unknown) < len(header.missing) + len(header.unknown):
                header = carried
        check_header(self._contract, self._part, header, sheet=self._sheet.position)
        return header

    def _names(self, head: Mapping[int, Mapping[int, str]], first: int, width: int) -> list[str]:
        names = []
        for column in range(1, width + 1):
            texts = [head.get(number, {}).get(column) for number in range(first, self._head_end + 1)]
            levels = [without_white_space(text) for text in texts if text is not None]
            names.append(self._declared.join.join(dict.fromkeys(level for level in levels if level)))
        return names

    def repeats_header(self, row: SheetRow) -> bool:
        """Whether the row is one of the header's once more, as where lists have been put together or are printed."""
        return any(
            header_row.is_repeated_by((cell.column - 1, cell.text or "") for cell in row.cells)
            for header_row in self._header_rows
        )

    def read(self, row: SheetRow, header: Header) -> tuple[dict[str, str | None], list[Fault], int | None, bool]:
        """A row's texts by column, what is wrong with it, how many fields it has if too many, whether it is blank."""
        cells = {cell.column: cell for cell in row.cells}
        merged = self._covered.areas(row.number, cells)
        faults: list[Fault] = []
        hidden = self._under_merges(row, cells, merged) if merged else {}
        values: dict[str, str | None] = {}
        something = False
        for place, name in enumerate(header.canonical, 1):
            if name is None:
                continue
            cell = cells.get(place)
            text, kind = (None, None) if cell is None else (cell.text, cell.fault)
            where = reference(row.number, place)
            if place in hidden:
                text, kind, where = None, FaultKind.MERGED, hidden[place].cells
            elif cell is not None and name in self._days and text is not None:
                text, kind = _in_common_days(cell, kind)
            elif cell is not None and name in self._booleans:
                text = cell.yes_or_no
            values[name] = text
            if kind is not None:
                faults.append(Fault(kind, name, where, self._sheet.position))
            something = something or kind is not None or not is_blank(text or "")
        beyond = [
            cell.column
            for cell in row.cells
            if (cell.column > len(header.canonical) or header.canonical[cell.column - 1] is None)
            and (cell.fault is not None or not is_blank(cell.text or ""))
        ]
        return values, faults, (max(beyond) if beyond else None), not something

    def _under_merges(
        self, row: SheetRow, cells: dict[int, Cell], merged: list[tuple[Merge, Cell | None]]
    ) -> dict[int, Merge]:
        """The columns whose values of this row a merge hides; those that it gives are put into *cells*."""
        hidden: dict[int, Merge] = {}
        for merge, shown in merged:
            for column in range(merge.first_column, merge.last_column + 1):
                if (row.number, column) == (merge.first_row, merge.first_column):
                    continue
                own = cells.get(column)
                if shown is None and own is None:
                    continue
                is_repeated = (
                    self._declared.merged_data == "repeat"
                    and merge.first_column == merge.last_column
                    and shown is not None
                    and shown.fault is None
                    and (own is None or own.text == shown.text)
                )
                if is_repeated and shown is not None:
                    cells[column] = shown
                else:
                    hidden[column] = merge
        return hidden

    @property
    def values(self) -> Mapping[str, str]:
        """Columns that are the same for all rows of the sheet."""
        return self._values

    def block(self, columns: dict[str, list[str | None]], rows: int) -> pl.DataFrame:
        """A frame of *rows* rows with these columns."""
        series = {name: pl.Series(name, texts, dtype=pl.String) for name, texts in columns.items()}
        return complete_frame(self._contract, series, rows, self._values)

    @property
    def part(self) -> Part:
        """The landed object."""
        return self._part

    @property
    def position(self) -> int:
        """The sheet's position in the workbook."""
        return self._sheet.position

    @property
    def most_noted(self) -> int:
        """Of how many structural lines the positions are kept."""
        return self._declared.limits.noted_lines


class _Rows:
    """Rows of a sheet that become a block."""

    def __init__(self, decoder: _SheetDecoder, header: Header, rows_before: int, line: int) -> None:
        self._decoder, self._header = decoder, header
        self._number, self._line = rows_before, line
        self._columns: dict[str, list[str | None]] = {name: [] for name in header.canonical if name is not None}
        self._numbers: list[int] = []
        self._lines: list[int] = []
        self._faulty: list[FaultyRow] = []
        self._noted: list[StructuralLine] = []
        self._unnoted = 0

    @property
    def size(self) -> int:
        """How many rows there are so far."""
        return len(self._numbers) + len(self._faulty)

    def structural(self, reason: str, line: int) -> None:
        """Note a row that is no data."""
        self._noted.append(StructuralLine(reason, line, self._decoder.position))

    def add(self, row: SheetRow) -> None:
        """Take in a row."""
        gap = range(self._line + 1, row.number)
        self._line = row.number
        for line in gap[: self._decoder.most_noted]:
            self.structural("blank", line)
        self._unnoted += max(0, len(gap) - self._decoder.most_noted)
        values, faults, fields, is_empty = self._decoder.read(row, self._header)
        if self._decoder.repeats_header(row):
            self.structural("header", row.number)
            return
        if is_empty:
            # Something beside the table, in a row that has nothing in it, is no row of it.
            self.structural("blank" if fields is None else "outside", row.number)
            return
        self._number += 1
        if faults or fields is not None:
            everything = {**self._decoder.values, **values}
            self._faulty.append(
                FaultyRow(self._number, row.number, tuple(faults), everything, fields, self._decoder.position)
            )
            return
        self._numbers.append(self._number)
        self._lines.append(row.number)
        for name, text in values.items():
            self._columns[name].append(text)

    def finish(self) -> TextBlock:
        """The block."""
        block = TextBlock(
            self._decoder.part,
            self._decoder.block(self._columns, len(self._numbers)),
            pl.Series("row_number", self._numbers, dtype=pl.Int32),
            physical_lines=self.size + len(self._noted) + self._unnoted,
            faulty=self._faulty,
            lines=pl.Series("line", self._lines, dtype=pl.Int64),
            sheet=self._decoder.position,
        )
        for line in self._noted:
            block.note(line)
        if self._unnoted:
            block.structural["blank"] += self._unnoted
        return block

    def following(self) -> _Rows:
        """Those that come behind these."""
        return _Rows(self._decoder, self._header, self._number, self._line)


def _in_common_days(cell: Cell, kind: FaultKind | None) -> tuple[str | None, FaultKind | None]:
    """A day that is only a number, in a workbook that counts from 1904, by the count that all other workbooks have."""
    text = cell.text or ""
    if cell.is_bare_number:
        shifted = format(Decimal(text) + _SHIFT_OF_1904, "f") if _NUMBER.fullmatch(text) else ""
        return (shifted, kind) if _SERIAL.fullmatch(shifted) else (text, kind)
    # However it is written: what a normalisation would make of it later must not be read by the other date system.
    plain = unicodedata.normalize("NFKC", text).strip(WHITE_SPACE).lstrip("'‘’").strip(WHITE_SPACE)
    return (text, FaultKind.EPOCH) if _SERIAL.fullmatch(plain) else (text, kind)
