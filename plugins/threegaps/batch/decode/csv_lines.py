"""Files of delimited lines with a header, in blocks that end on a line, so that memory does not grow with the file."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import polars as pl

from threegaps.batch.decode.blocks import Part, TextBlock, consecutive_row_numbers
from threegaps.batch.decode.header import Header, canonical_frame, check_header, match_header
from threegaps.batch.decode.refusals import refuse_empty, refuse_encoding, refuse_fields, refuse_nul
from threegaps.contracts.model import Contract
from threegaps.contracts.options.formats import CsvFormat
from threegaps.errors import ContractError

_READ_BYTES = 1 << 20
_NEWLINE = b"\n"


def decode_csv(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
    """The part's lines in blocks of about *block_bytes* of UTF-8.

    Raises:
        FeedError: The file is empty or in another encoding, holds NUL bytes or a line that is no line of fields, or
            has not the declared columns.
    """
    declared = csv_format(contract)
    quoted_newlines = declared.quoted_newlines
    blocks = _line_blocks(
        _utf8(contract, part, min(_READ_BYTES, block_bytes)), block_bytes, quoted_newlines=quoted_newlines
    )
    header: Header | None = None
    rows_before = 0
    for number, block in enumerate(blocks):
        lines = 0
        if header is None:
            if number == 0:
                block = block.removeprefix(codecs.BOM_UTF8)
            head, _, block = block.partition(_NEWLINE)
            if not head.strip():
                refuse_empty(contract, part)
            try:
                names = head.decode("utf-8")
            except UnicodeDecodeError:
                refuse_encoding(contract, part, "utf-8", 0)
            try:
                fields = next(csv.reader([names], delimiter=declared.delimiter))
            except csv.Error as error:
                refuse_fields(contract, part, 0, error)
            header = match_header(contract, fields)
            check_header(contract, part, header)
            lines = 1
        if b"\0" in block:
            refuse_nul(contract, part, block, rows_before, header)
        parsed = _parse_block(contract, part, header, block, rows_before)
        parsed.physical_lines += lines
        if lines:
            parsed.structural["header"] += 1
        rows_before += parsed.frame.height + len(parsed.misshapen)
        yield parsed
    if header is None:
        refuse_empty(contract, part)


def csv_format(contract: Contract) -> CsvFormat:
    """The contract's format, which is CSV where this module is asked.

    Raises:
        ContractError: It is another one.
    """
    declared = contract.file_format
    if not isinstance(declared, CsvFormat):
        raise ContractError(f"The file format is {declared.kind}, not csv.", feed=contract.feed)
    return declared


def _utf8(contract: Contract, part: Part, read_bytes: int) -> Iterator[bytes]:
    """The part's text as UTF-8, decompressed and transcoded as declared."""
    declared = csv_format(contract)
    encoding = codecs.lookup(declared.encoding).name
    with part.open() as raw:
        stream: BinaryIO | gzip.GzipFile = raw
        if declared.compression == "gzip":
            stream = gzip.GzipFile(fileobj=raw)
        if encoding == "utf-8":
            # Checked where the lines are parsed.
            while chunk := stream.read(read_bytes):
                yield chunk
            return
        decoder = codecs.getincrementaldecoder(encoding)()
        lines = 0
        while True:
            chunk = stream.read(read_bytes)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                row = lines + error.object[: error.start].count(_NEWLINE)
                refuse_encoding(contract, part, encoding, row)
            if text:
                lines += text.count("\n")
                yield text.encode("utf-8")
            if not chunk:
                return


def _line_blocks(chunks: Iterator[bytes], block_bytes: int, *, quoted_newlines: bool) -> Iterator[bytes]:
    """Blocks of about *block_bytes* that end with a line; a newline inside quotes ends none, where declared."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size < block_bytes:
            continue
        block = b"".join(held)
        end = _last_line_end(block, quoted_newlines=quoted_newlines)
        if end:
            yield block[:end]
        held = [block[end:]]
        size = len(block) - end
    block = b"".join(held)
    if block:
        yield block


def _last_line_end(block: bytes, *, quoted_newlines: bool) -> int:
    end = block.rfind(_NEWLINE) + 1
    if quoted_newlines:
        # A block starts outside quotes; a newline is a line's end where the quotes before it are even.
        quotes = block.count(b'"', 0, end)
        while end and quotes % 2:
            before = block.rfind(_NEWLINE, 0, end - 1) + 1
            quotes -= block.count(b'"', before, end)
            end = before
    return end


def _parse_block(contract: Contract, part: Part, header: Header, block: bytes, rows_before: int) -> TextBlock:
    delimiter = csv_format(contract).delimiter
    fields = len(header.names)
    lines = block.count(_NEWLINE) + (not block.endswith(_NEWLINE) and bool(block))
    names = [f"{index}" for index in range(fields)]
    if b'"' not in block and block.count(delimiter.encode()) == lines * (fields - 1):
        try:
            frame = _read_csv(block, names, delimiter)
        except (pl.exceptions.ComputeError, pl.exceptions.SchemaError):
            frame = None
        # As many delimiters as there should be, and no line with more fields than the header: each line has its own.
        if frame is not None and frame.height == lines:
            return TextBlock(
                part,
                canonical_frame(contract, header, frame),
                consecutive_row_numbers(rows_before, frame.height),
                physical_lines=lines,
                is_plain=delimiter == "," and b"\r" not in block,
            )
    return _parse_carefully(contract, part, header, block, rows_before)


def _read_csv(block: bytes, names: list[str], delimiter: str) -> pl.DataFrame:
    return pl.read_csv(
        block,
        has_header=False,
        schema=dict.fromkeys(names, pl.String),
        separator=delimiter,
        infer_schema=False,
    ).rechunk()


def _parse_carefully(contract: Contract, part: Part, header: Header, block: bytes, rows_before: int) -> TextBlock:
    """Line by line, for blocks with quotes, blank lines or lines of another shape."""
    fields = len(header.names)
    good: list[list[str]] = []
    numbers: list[int] = []
    misshapen: list[tuple[int, int]] = []
    blank = 0
    number = rows_before
    try:
        for row in _fields_of_lines(contract, part, block, rows_before):
            if not row or (len(row) == 1 and not row[0].strip()):
                blank += 1
                continue
            number += 1
            if len(row) == fields:
                good.append(row)
                numbers.append(number)
            else:
                misshapen.append((number, len(row)))
    except csv.Error as error:
        refuse_fields(contract, part, number + 1, error)
    frame = pl.DataFrame(
        {f"{index}": [row[index] for row in good] for index in range(fields)},
        schema={f"{index}": pl.String for index in range(fields)},
    )
    parsed = TextBlock(
        part,
        canonical_frame(contract, header, frame),
        pl.Series("row_number", numbers, dtype=pl.Int32),
        physical_lines=len(good) + len(misshapen) + blank,
        misshapen=misshapen,
    )
    if blank:
        parsed.structural["blank"] += blank
    return parsed


def _fields_of_lines(contract: Contract, part: Part, block: bytes, rows_before: int) -> Iterable[list[str]]:
    try:
        text = block.decode("utf-8")
    except UnicodeDecodeError as error:
        refuse_encoding(contract, part, "utf-8", rows_before + 1 + block.count(_NEWLINE, 0, error.start))
    delimiter = csv_format(contract).delimiter
    if csv_format(contract).quoted_newlines:
        return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    # Where no cell may hold a newline, a stray quote must not swallow the lines after it: quotes are checked a line.
    return (next(csv.reader([line], delimiter=delimiter), []) for line in text.removesuffix("\n").split("\n"))
