"""Files of delimited lines with a header, in blocks, so that memory does not grow with the file.

Blocks in which every line is plain (no quotes, as many delimiters as the header has) are parsed at once; in others each
line is looked at by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import polars as pl

from threegaps.batch.decode.blocks import FaultyRow, Part, StructuralLine, TextBlock, consecutive_row_numbers
from threegaps.batch.decode.encoding import encoding_that_fits, utf8_chunks
from threegaps.batch.decode.faults import Fault, FaultKind
from threegaps.batch.decode.header import (
    Header,
    canonical_frame,
    check_header,
    complete_frame,
    match_header,
)
from threegaps.batch.decode.layout import Layout, csv_layout
from threegaps.batch.decode.lines import NEWLINE, has_line_over, line_blocks
from threegaps.batch.decode.opened import expanded
from threegaps.batch.decode.records import Lines, Record, records_of
from threegaps.batch.decode.refusals import is_another_encoding, refuse_empty, refuse_encoding, refuse_over_limit
from threegaps.batch.decode.repeated import HeaderRow
from threegaps.contracts.model import Contract
from threegaps.contracts.options.formats import CsvFormat
from threegaps.errors import FeedError
from threegaps.standards.white_space import WHITE_SPACE_CLASS

_READ_BYTES = 1 << 20


def decode_csv(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
    """The part's lines in blocks of about *block_bytes* of UTF-8.

    Raises:
        FeedError: The file is empty, of another kind or encoding, over a limit, or has not the declared columns.
    """
    declared, layout = csv_layout(contract, part)
    reader = _Reader(contract, part, declared, layout)
    chunks = expanded(contract, part, declared.compression, min(_READ_BYTES, block_bytes))
    blocks = line_blocks(contract, part, utf8_chunks(contract, part, declared.encoding, chunks), block_bytes)
    held = next(blocks, b"")
    while held:
        following = next(blocks, b"")
        parsed = reader.read(held, is_last=not following)
        if parsed is not None:
            yield parsed
        held = following
    reader.finish()


class _Reader:
    """Reads the blocks of one part in order."""

    def __init__(self, contract: Contract, part: Part, declared: CsvFormat, layout: Layout) -> None:
        self._contract, self._part, self._declared, self._layout = contract, part, declared, layout
        self._delimiter = declared.delimiter.encode()
        self._header: Header | None = None
        self._header_row: HeaderRow | None = None
        self._first_name = ""
        self._titles_left = declared.title_rows
        self._line = 1
        self._rows_before = 0
        self._carried = b""
        self._bad_rows, self._first_bad_row = 0, 0

    def read(self, block: bytes, *, is_last: bool) -> TextBlock | None:
        """The rows of *block*; None where it has no whole record yet."""
        block = self._carried + block
        self._carried = b""
        noted: list[StructuralLine] = []
        while self._titles_left and block:
            block = block.partition(NEWLINE)[2]
            noted.append(StructuralLine("title", self._line))
            self._titles_left -= 1
            self._line += 1
        if self._header is None and block:
            block = self._read_header(block, noted, is_last=is_last)
        parsed = self._parse(block, is_last=is_last)
        parsed.noted[:0] = noted
        parsed.structural.update(line.reason for line in noted)
        parsed.physical_lines += len(noted)
        self._rows_before += parsed.received
        self._check(parsed, is_last=is_last)
        return parsed if parsed.physical_lines else None

    def finish(self) -> None:
        """Refuse a part that ended before its header.

        Raises:
            FeedError: It did.
        """
        if self._header is None:
            refuse_empty(self._contract, self._part)

    def _read_header(self, block: bytes, noted: list[StructuralLine], *, is_last: bool) -> bytes:
        lines = Lines(block)
        record = next(records_of(lines, self._declared, 0, is_last=is_last), None)
        if record is None:
            self._carried = block
            return b""
        if record.is_blank:
            refuse_empty(self._contract, self._part)
        header = match_header(self._layout, record.fields or [])
        kinds = {kind for kind, _ in record.faults}
        if FaultKind.LINE_BREAK in kinds:
            self._refuse(
                "The lines end with CR alone.",
                "ask the department to end lines with LF or CR LF.",
                "end the lines with LF or CR LF.",
            )
        if kinds or header.missing:
            self._refuse_encoding_of_header(is_wrong=bool(kinds & {FaultKind.BYTES, FaultKind.NUL}))
        if record.fields is None:
            self._refuse(
                "The header cannot be split into fields: a quote has no other half.",
                "ask the department to close its quotes.",
                "close the quotes of the header.",
            )
        if len(header.canonical) > self._declared.limits.columns:
            allowed = self._declared.limits.columns
            refuse_over_limit(self._contract, self._part, "more columns", "columns", allowed, row=0)
        check_header(self._contract, self._part, header)
        self._header = header
        self._header_row = HeaderRow.of_columns(self._layout, header)
        self._first_name = self._header_row.first_form
        noted.extend([StructuralLine("header", self._line)])
        self._line += record.lines
        return block[lines.size(0, record.lines) :]

    def _refuse_encoding_of_header(self, *, is_wrong: bool) -> None:
        """Say which encoding it is where another one fits; else only if the declared one cannot be."""
        declared = self._declared
        with closing(expanded(self._contract, self._part, declared.compression, 1 << 16)) as chunks:
            first = next(chunks)
        if not declared.title_rows:
            found = encoding_that_fits(self._layout, first, declared.encoding, declared.delimiter)
            if found is not None:
                refuse_encoding(self._contract, self._part, declared.encoding, 0, found=found)
        if is_wrong:
            refuse_encoding(self._contract, self._part, declared.encoding, 0)

    def _refuse(self, message: str, advice: str, sender_advice: str) -> None:
        raise FeedError(
            message,
            feed=self._contract.feed,
            file=self._part.source_name,
            row=0,
            advice=advice,
            sender_advice=sender_advice,
        )

    def _parse(self, block: bytes, *, is_last: bool) -> TextBlock:
        header = self._header
        if header is None or not block:
            return self._empty()
        width = len(header.canonical)
        lines = block.count(NEWLINE) + (not block.endswith(NEWLINE))
        frame = self._plain_frame(block, lines, width)
        if frame is None:
            return self._parse_carefully(block, header, is_last=is_last)
        parsed = TextBlock(
            self._part,
            canonical_frame(self._contract, header, frame, self._layout.values),
            consecutive_row_numbers(self._rows_before, frame.height),
            physical_lines=lines,
            first_line=self._line,
            is_plain=self._delimiter == b"," and not self._layout.values,
        )
        self._line += lines
        return parsed

    def _plain_frame(self, block: bytes, lines: int, width: int) -> pl.DataFrame | None:
        """The block's fields where each of its lines is beyond doubt; None where they must be looked at one by one."""
        if (
            b'"' in block
            or block.count(self._delimiter) != lines * (width - 1)
            or not self._delimiter.isascii()
            or b"\0" in block
            or b"\x1a" in block
            or (b"\r" in block and block.count(b"\r") != block.count(b"\r\n"))
            or has_line_over(block, self._declared.limits.cell_characters)
        ):
            return None
        try:
            frame = pl.read_csv(
                block,
                has_header=False,
                schema={f"{index}": pl.String for index in range(width)},
                separator=self._declared.delimiter,
                infer_schema=False,
                quote_char=None,
            ).rechunk()
        except (pl.exceptions.ComputeError, pl.exceptions.SchemaError, OSError):
            # The last where a line begins as archives do: polars would unpack it.
            return None
        # As many delimiters as there should be, and no line with more fields than the header: each line has its own.
        if (
            frame.height != lines
            or _may_be_marked(frame)
            or frame.to_series(0).str.contains(self._first_name).any()
            or _may_be_blank(frame)
            or not self._is_blank_beyond(frame)
        ):
            return None
        return frame

    def _is_blank_beyond(self, frame: pl.DataFrame) -> bool:
        """Whether columns without a name at the header's end are empty in every row."""
        assert self._header is not None  # noqa: S101  # it is read before any row
        return all(frame.to_series(index).null_count() == frame.height for index in self._header.blank)

    def _parse_carefully(self, block: bytes, header: Header, *, is_last: bool) -> TextBlock:
        """Line by line, for blocks with quotes, blank lines or lines of another shape."""
        width = len(header.canonical)
        good: list[list[str]] = []
        numbers: list[int] = []
        places: list[int] = []
        faulty: list[FaultyRow] = []
        noted: list[StructuralLine] = []
        reasons: Counter[str] = Counter()
        most_noted = self._declared.limits.noted_lines
        number, line = self._rows_before, 0
        lines = Lines(block)
        for record in records_of(lines, self._declared, width, is_last=is_last):
            line = record.line + record.lines
            where = self._line + record.line
            reason = "blank" if not record.faults and record.is_blank else self._is_header(record) and "header"
            if reason:
                reasons[reason] += 1
                if len(noted) < most_noted:
                    noted.append(StructuralLine(reason, where))
                continue
            number += 1
            fields = record.fields
            if not record.faults and fields is not None and self._fits(fields):
                good.append(fields)
                numbers.append(number)
                places.append(where)
            else:
                is_cut = is_last and line == len(lines) and not block.endswith(NEWLINE)
                faulty.append(self._faulty(record, number, where, is_cut=is_cut))
        self._carried = block[lines.size(0, line) :] if line < len(lines) else b""
        frame = pl.DataFrame(
            {f"{index}": [row[index] for row in good] for index in range(width)},
            schema={f"{index}": pl.String for index in range(width)},
        )
        parsed = TextBlock(
            self._part,
            canonical_frame(self._contract, header, frame, self._layout.values),
            pl.Series("row_number", numbers, dtype=pl.Int32),
            physical_lines=len(good) + len(faulty) + reasons.total(),
            structural=reasons,
            noted=noted,
            faulty=faulty,
            first_line=self._line,
            lines=pl.Series("line", places, dtype=pl.Int64),
        )
        self._line += line
        return parsed

    def _fits(self, fields: list[str]) -> bool:
        """Whether there are as many fields as the header has, and none where it has no name."""
        assert self._header is not None  # noqa: S101  # it is read before any row
        return len(fields) == len(self._header.canonical) and not any(fields[index] for index in self._header.blank)

    def _is_header(self, record: Record) -> bool:
        """Whether the header is repeated, as where parts have been put together."""
        assert self._header is not None  # noqa: S101  # it is read before any row
        assert self._header_row is not None  # noqa: S101  # likewise
        if record.fields is None or len(record.fields) != len(self._header.canonical):
            return False
        return self._header_row.is_repeated_by(enumerate(record.fields))

    def _faulty(self, record: Record, number: int, line: int, *, is_cut: bool) -> FaultyRow:
        assert self._header is not None  # noqa: S101  # it is read before any row
        canonical = self._header.canonical
        is_whole = record.fields is not None and self._fits(record.fields)
        faults = tuple(
            Fault(kind, canonical[place] if is_whole and place is not None else None) for kind, place in record.faults
        )
        if any(kind is FaultKind.BYTES for kind, _ in record.faults):
            self._bad_rows += 1
            self._first_bad_row = self._first_bad_row or number
        if is_cut and not is_whole:
            faults += (Fault(FaultKind.CUT),)
        if not is_whole or record.fields is None:
            return FaultyRow(number, line, faults, None, None if record.fields is None else len(record.fields))
        values = {name: text for name, text in zip(canonical, record.fields, strict=True) if name is not None}
        return FaultyRow(number, line, faults, {**self._layout.values, **values})

    def _check(self, parsed: TextBlock, *, is_last: bool) -> None:
        """Refuse a file that is wholly in another encoding, or has too many rows."""
        rows, bad = self._rows_before, self._bad_rows
        if is_another_encoding(bad, rows) or (is_last and 1 < rows == bad):
            refuse_encoding(self._contract, self._part, self._declared.encoding, self._first_bad_row)
        limits = self._declared.limits
        if rows > limits.rows:
            refuse_over_limit(self._contract, self._part, "more rows", "rows", limits.rows)
        if self._line - 1 > limits.lines:
            refuse_over_limit(self._contract, self._part, "more lines", "lines", limits.lines)

    def _empty(self) -> TextBlock:
        none = {name: pl.Series(name, [], dtype=pl.String) for name in self._layout.columns}
        frame = complete_frame(self._contract, none, 0, self._layout.values)
        return TextBlock(self._part, frame, consecutive_row_numbers(self._rows_before, 0), 0, first_line=self._line)


def _may_be_marked(frame: pl.DataFrame) -> bool:
    """Whether a line begins with a byte order mark, as where files have been put together."""
    first = frame.to_series(0)
    return bool((first >= "\ufeff").any()) and bool(first.str.starts_with("\ufeff").any())


def _may_be_blank(frame: pl.DataFrame) -> bool:
    """Whether a row may have nothing in it: it would have nothing to see in its first column."""
    for place in range(frame.width):
        column = frame.to_series(place)
        # Most columns hold nothing but plain signs, which is quick to see: spaces come before them or far behind.
        if not (column.null_count() or (column <= "!").any() or (column >= "\x7f").any()):
            return False
        doubtful = column.is_null() | column.str.contains(f"^[{WHITE_SPACE_CLASS}]*$")
        if not doubtful.any():
            return False
        frame = frame.filter(doubtful)
    return bool(frame.height)
