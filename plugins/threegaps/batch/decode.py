"""From the bytes that a department sent to frames in which every value is text, by the contract's declared format.

Nothing is guessed: encoding, compression, delimiter and header are the contract's. Files are read in blocks that end
on a line, so memory does not grow with the file.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NoReturn

import polars as pl

from threegaps.contracts.model import Contract
from threegaps.errors import FeedError

_READ_BYTES = 1 << 20
_NEWLINE = b"\n"


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
    """

    landed_object_id: int
    source_name: str
    open: Callable[[], BinaryIO]
    is_correction: bool = False
    is_replay: bool = False


@dataclass(slots=True)
class TextBlock:
    """Rows of one part as text, by canonical column names.

    ``row_numbers`` counts data rows of the part from 1; ``misshapen`` are rows with too many or too few fields, as
    (row number, fields); ``structural`` counts lines that are no data, by reason; ``is_plain`` says that no text holds
    a comma, a quote or the end of a line.
    """

    part: Part
    frame: pl.DataFrame
    row_numbers: pl.Series
    physical_lines: int
    structural: Counter[str] = field(default_factory=Counter)
    misshapen: list[tuple[int, int]] = field(default_factory=list)
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """The columns as they came, against those declared."""

    names: tuple[str, ...]
    canonical: tuple[str | None, ...]
    missing: tuple[str, ...]
    new: tuple[str, ...]


def decode(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
    """The blocks of *part* in order.

    Raises:
        FeedError: The bytes are not what the contract declares: another encoding, a cut archive, NUL bytes, an empty
            file, columns that are missing or new. The message names the file and, where there is one, row and column.
    """
    kind = "replay" if part.is_replay else contract.file_format["kind"]
    decoders: dict[str, Callable[[Contract, Part, int], Iterator[TextBlock]]] = {
        "csv": _decode_csv,
        "xlsx": _decode_workbook,
        "json_pages": _decode_json_pages,
        "replay": _decode_replay,
    }
    try:
        yield from decoders[kind](contract, part, block_bytes)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FeedError(
            f"The archive is cut off or damaged ({error}).",
            feed=contract.feed,
            file=part.source_name,
            advice="ask the department to send it again; what arrives is judged anew.",
        ) from error


def match_header(contract: Contract, names: list[str]) -> Header:
    """Set the header's names against the contract's source names."""
    known = {column.source_name: column.name for column in contract.columns if column.source_name}
    cleaned = ["".join(name.split()) for name in names]
    return Header(
        names=tuple(cleaned),
        canonical=tuple(known.get(name) for name in cleaned),
        missing=tuple(source for source in known if source not in cleaned),
        new=tuple(name for name in cleaned if name not in known),
    )


def _check_header(contract: Contract, part: Part, header: Header) -> None:
    twice = [name for name, count in Counter(header.names).items() if count > 1]
    if not (header.missing or header.new or twice):
        return
    said = [
        f"missing {', '.join(header.missing)}" if header.missing else "",
        f"new {', '.join(header.new)}" if header.new else "",
        f"twice {', '.join(twice)}" if twice else "",
    ]
    raise FeedError(
        f"The columns are not those of the contract: {'; '.join(filter(None, said))}.",
        feed=contract.feed,
        file=part.source_name,
        row=0,
        column=(header.missing or header.new or tuple(twice))[0],
        advice="ask the department whether a column was renamed; if it is meant, change the contract.",
    )


# --- CSV ----------------------------------------------------------------------------------------------------------


def _decode_csv(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
    declared = contract.file_format
    quoted_newlines = bool(declared.get("quoted_newlines", False))
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
                _refuse_empty(contract, part)
            try:
                names = head.decode("utf-8")
            except UnicodeDecodeError:
                _refuse_encoding(contract, part, "utf-8", 0)
            header = match_header(contract, next(csv.reader([names], delimiter=declared["delimiter"])))
            _check_header(contract, part, header)
            lines = 1
        if b"\0" in block:
            _refuse_nul(contract, part, block, rows_before, header)
        parsed = _parse_block(contract, part, header, block, rows_before)
        parsed.physical_lines += lines
        if lines:
            parsed.structural["header"] += 1
        rows_before += parsed.frame.height + len(parsed.misshapen)
        yield parsed
    if header is None:
        _refuse_empty(contract, part)


def _utf8(contract: Contract, part: Part, read_bytes: int) -> Iterator[bytes]:
    """The part's text as UTF-8, decompressed and transcoded as declared."""
    declared = contract.file_format
    encoding = codecs.lookup(declared["encoding"]).name
    with part.open() as raw:
        stream: Any = gzip.GzipFile(fileobj=raw) if declared.get("compression") == "gzip" else raw
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
                _refuse_encoding(contract, part, encoding, row)
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
        while end and block.count(b'"', 0, end) % 2:
            end = block.rfind(_NEWLINE, 0, end - 1) + 1
    return end


def _parse_block(contract: Contract, part: Part, header: Header, block: bytes, rows_before: int) -> TextBlock:
    delimiter: str = contract.file_format["delimiter"]
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
            parsed = _text_block(contract, part, header, frame, None, rows_before, lines)
            parsed.is_plain = delimiter == "," and b"\r" not in block
            return parsed
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
    declared = contract.file_format
    quoted_newlines = bool(declared.get("quoted_newlines", False))
    fields = len(header.names)
    try:
        text = block.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse_encoding(contract, part, "utf-8", rows_before + 1 + block.count(_NEWLINE, 0, error.start))
    # Where no cell may hold a newline, a stray quote must not swallow the lines after it: quotes are checked a line.
    source: Iterable[str] = io.StringIO(text, newline="") if quoted_newlines else text.removesuffix("\n").split("\n")
    if quoted_newlines:
        rows: Iterable[list[str]] = csv.reader(source, delimiter=declared["delimiter"])
    else:
        rows = (next(csv.reader([line], delimiter=declared["delimiter"]), []) for line in source)
    good: list[list[str]] = []
    numbers: list[int] = []
    misshapen: list[tuple[int, int]] = []
    blank = 0
    number = rows_before
    for row in rows:
        if not row or (len(row) == 1 and not row[0].strip()):
            blank += 1
            continue
        number += 1
        if len(row) == fields:
            good.append(row)
            numbers.append(number)
        else:
            misshapen.append((number, len(row)))
    frame = pl.DataFrame(
        {f"{index}": [row[index] for row in good] for index in range(fields)},
        schema={f"{index}": pl.String for index in range(fields)},
    )
    lines = len(good) + len(misshapen) + blank
    parsed = _text_block(
        contract, part, header, frame, pl.Series("row_number", numbers, dtype=pl.Int32), rows_before, lines
    )
    parsed.misshapen = misshapen
    if blank:
        parsed.structural["blank"] += blank
    return parsed


def _text_block(
    contract: Contract,
    part: Part,
    header: Header,
    frame: pl.DataFrame,
    row_numbers: pl.Series | None,
    rows_before: int,
    lines: int,
) -> TextBlock:
    if row_numbers is None:
        row_numbers = pl.int_range(rows_before + 1, rows_before + 1 + frame.height, dtype=pl.Int32, eager=True)
    columns = {
        canonical: frame.to_series(index) for index, canonical in enumerate(header.canonical) if canonical is not None
    }
    ordered = [columns[column.name].alias(column.name) for column in contract.columns if column.name in columns]
    return TextBlock(part, pl.DataFrame(ordered), row_numbers.alias("row_number"), lines)


def _refuse_empty(contract: Contract, part: Part) -> NoReturn:
    raise FeedError(
        "The file is empty.",
        feed=contract.feed,
        file=part.source_name,
        advice="ask the department to send it again.",
    )


def _refuse_encoding(contract: Contract, part: Part, encoding: str, row: int) -> NoReturn:
    raise FeedError(
        f"The bytes are not {encoding}, as the contract declares.",
        feed=contract.feed,
        file=part.source_name,
        row=row,
        advice="ask the department which encoding it wrote; if that changed for good, change the contract.",
    )


def _refuse_nul(contract: Contract, part: Part, block: bytes, rows_before: int, header: Header | None) -> NoReturn:
    place = block.index(b"\0")
    line_start = block.rfind(_NEWLINE, 0, place) + 1
    row = rows_before + block.count(_NEWLINE, 0, place) + 1
    index = block.count(contract.file_format.get("delimiter", ",").encode(), line_start, place)
    name = header.canonical[index] if header is not None and index < len(header.canonical) else None
    raise FeedError(
        "The file holds NUL bytes.",
        feed=contract.feed,
        file=part.source_name,
        row=row,
        column=name,
        advice="ask the department to write the file again; a transfer may have broken off.",
    )


# --- JSON ---------------------------------------------------------------------------------------------------------


def _decode_json_pages(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
    """Answers of a paged interface, one JSON document a line, in the order in which they came."""
    path: list[str] = contract.file_format["records_path"]
    expected = {column.source_name: column.name for column in contract.columns if column.source_name}
    held: list[dict[str, Any]] = []
    size = lines = rows_before = 0
    with part.open() as raw:
        for line in raw:
            if b"\0" in line:
                _refuse_nul(contract, part, line, rows_before + len(held), None)
            if not line.strip():
                continue
            lines += 1
            held.extend(_records(contract, part, line, path, lines))
            size += len(line)
            if size >= block_bytes:
                yield _json_block(contract, part, held, expected, rows_before)
                rows_before += len(held)
                held, size = [], 0
    if not lines:
        _refuse_empty(contract, part)
    if held or not rows_before:
        yield _json_block(contract, part, held, expected, rows_before)


def _records(contract: Contract, part: Part, line: bytes, path: list[str], page: int) -> list[dict[str, Any]]:
    try:
        document = json.loads(line.decode(contract.file_format["encoding"]), parse_float=str, parse_int=str)
    except (UnicodeDecodeError, ValueError) as error:
        raise FeedError(
            f"Page {page} is cut off or no JSON ({type(error).__name__}).",
            feed=contract.feed,
            file=part.source_name,
            advice="fetch it again.",
        ) from error
    for step in path:
        if isinstance(document, dict) and step in document:
            document = document[step]
    records = document if isinstance(document, list) else [document]
    if not all(isinstance(record, dict) for record in records):
        raise FeedError(
            f"Page {page} holds no list of rows at {'.'.join(path)}.",
            feed=contract.feed,
            file=part.source_name,
            advice="compare the interface's answer with the contract.",
        )
    return records


def _json_block(
    contract: Contract, part: Part, records: list[dict[str, Any]], expected: dict[str, str], rows_before: int
) -> TextBlock:
    names = {name for record in records for name in record}
    if records:
        header = match_header(contract, sorted(names))
        _check_header(contract, part, header)
    columns = {
        canonical: [None if record.get(source) is None else _as_text(record[source]) for record in records]
        for source, canonical in expected.items()
    }
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    numbers = pl.int_range(rows_before + 1, rows_before + 1 + frame.height, dtype=pl.Int32, eager=True)
    return TextBlock(part, frame, numbers.alias("row_number"), len(records))


def _decode_replay(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
    """Repairs of refused rows; a person mended them, so there are few, and they are read whole."""
    del block_bytes
    with part.open() as raw:
        repairs = [json.loads(line) for line in raw]
    names = [column.name for column in contract.columns if column.source_name]
    frame = pl.DataFrame(
        {name: [repair["row"].get(name) for repair in repairs] for name in names},
        schema=dict.fromkeys(names, pl.String),
    )
    numbers = pl.Series("row_number", [repair["row_number"] for repair in repairs], dtype=pl.Int32)
    yield TextBlock(part, frame, numbers, len(repairs))


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# --- Excel --------------------------------------------------------------------------------------------------------


def _decode_workbook(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
    """A sheet with title rows and a header of one or two rows, groups merged; rosters are small: read whole."""
    import openpyxl  # late: only spreadsheets need it

    del block_bytes
    declared = contract.file_format
    with part.open() as raw:
        content = raw.read()
    if not content:
        _refuse_empty(contract, part)
    try:
        workbook = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    except Exception as error:  # openpyxl lets any error of a damaged archive through
        raise FeedError(
            f"The file is no Excel workbook that can be read ({type(error).__name__}).",
            feed=contract.feed,
            file=part.source_name,
            advice="ask the department to send it again as .xlsx.",
        ) from error
    sheet = workbook.worksheets[declared.get("sheet", 0)]
    for merged in list(sheet.merged_cells.ranges):
        value = sheet.cell(merged.min_row, merged.min_col).value
        sheet.unmerge_cells(str(merged))
        if (
            merged.min_row <= declared["title_rows"] + declared["header_rows"]
            and merged.min_row > declared["title_rows"]
        ):
            for row in range(merged.min_row, merged.max_row + 1):
                for column in range(merged.min_col, merged.max_col + 1):
                    sheet.cell(row, column).value = value
    rows = list(sheet.iter_rows(values_only=True))
    head_end = declared["title_rows"] + declared["header_rows"]
    if len(rows) < head_end:
        _refuse_empty(contract, part)
    header = match_header(contract, _joined_header(rows[declared["title_rows"] : head_end], declared.get("join", "/")))
    while header.names and not header.names[-1]:
        header = match_header(contract, list(header.names[:-1]))
    _check_header(contract, part, header)
    width = len(header.names)
    data = [[_cell_text(value) for value in row[:width]] for row in rows[head_end:]]
    good = [row for row in data if any(row)]
    frame = pl.DataFrame(
        {f"{index}": [row[index] for row in good] for index in range(width)},
        schema={f"{index}": pl.String for index in range(width)},
    )
    block = _text_block(contract, part, header, frame, None, 0, len(rows))
    block.structural["title"] += declared["title_rows"]
    block.structural["header"] += declared["header_rows"]
    if len(data) > len(good):
        block.structural["blank"] += len(data) - len(good)
    yield block


def _joined_header(rows: list[tuple[Any, ...]], join: str) -> list[str]:
    names = []
    for cells in zip(*rows, strict=True):
        levels = ["".join(str(cell).split()) for cell in cells if cell is not None]
        names.append(join.join(dict.fromkeys(levels)))
    return names


def _cell_text(value: Any) -> str | None:
    """A cell as the text that a person sees; formula errors (#REF!) stay and fail their column's type."""
    import datetime as dt

    if value is None:
        return None
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
