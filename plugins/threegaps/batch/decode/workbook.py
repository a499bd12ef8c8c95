"""A sheet of an Excel workbook with title rows and a header of one or two rows, whose groups are merged cells."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from typing import Any

import polars as pl

from threegaps.batch.decode.blocks import Part, TextBlock, consecutive_row_numbers
from threegaps.batch.decode.header import Header, canonical_frame, check_header, match_header
from threegaps.batch.decode.refusals import refuse_empty
from threegaps.contracts.model import Contract
from threegaps.contracts.options.formats import WorkbookFormat
from threegaps.errors import ContractError, FeedError


def decode_workbook(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
    """The sheet's rows in one block: rosters are small, so they are read whole.

    Raises:
        FeedError: The file is empty or no workbook, or has not the declared columns.
    """
    del block_bytes
    declared = _workbook_format(contract)
    sheet = _open_sheet(contract, part)
    title_rows, header_rows = declared.title_rows, declared.header_rows
    head_end = title_rows + header_rows
    _unmerge(sheet, title_rows, head_end)
    rows = list(sheet.iter_rows(values_only=True))
    if len(rows) < head_end:
        refuse_empty(contract, part)
    header = _header(contract, rows[title_rows:head_end])
    check_header(contract, part, header)
    width = len(header.names)
    data = [[_cell_text(value) for value in row[:width]] for row in rows[head_end:]]
    good = [row for row in data if any(row)]
    frame = pl.DataFrame(
        {f"{index}": [row[index] for row in good] for index in range(width)},
        schema={f"{index}": pl.String for index in range(width)},
    )
    block = TextBlock(
        part, canonical_frame(contract, header, frame), consecutive_row_numbers(0, frame.height), len(rows)
    )
    block.structural["title"] += title_rows
    block.structural["header"] += header_rows
    if len(data) > len(good):
        block.structural["blank"] += len(data) - len(good)
    yield block


def _workbook_format(contract: Contract) -> WorkbookFormat:
    declared = contract.file_format
    if not isinstance(declared, WorkbookFormat):
        raise ContractError(f"The file format is {declared.kind}, not xlsx.", feed=contract.feed)
    return declared


def _open_sheet(contract: Contract, part: Part) -> Any:
    import openpyxl  # late: only spreadsheets need it

    with part.open() as raw:
        content = raw.read()
    if not content:
        refuse_empty(contract, part)
    try:
        workbook = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    except Exception as error:  # openpyxl lets any error of a damaged archive through
        raise FeedError(
            f"The file is no Excel workbook that can be read ({type(error).__name__}).",
            feed=contract.feed,
            file=part.source_name,
            advice="ask the department to send it again as .xlsx.",
        ) from error
    return next(sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible")


def _unmerge(sheet: Any, title_rows: int, head_end: int) -> None:
    """Take merged cells apart; those of the header all get the value that they shared."""
    for merged in list(sheet.merged_cells.ranges):
        value = sheet.cell(merged.min_row, merged.min_col).value
        sheet.unmerge_cells(str(merged))
        if title_rows < merged.min_row <= head_end:
            for row in range(merged.min_row, merged.max_row + 1):
                for column in range(merged.min_col, merged.max_col + 1):
                    sheet.cell(row, column).value = value


def _header(contract: Contract, rows: list[tuple[Any, ...]]) -> Header:
    """The header of *rows*, the levels of a column joined as declared; columns without a name at its end are none."""
    header = match_header(contract, _joined_levels(rows, _workbook_format(contract).join))
    while header.names and not header.names[-1]:
        header = match_header(contract, list(header.names[:-1]))
    return header


def _joined_levels(rows: list[tuple[Any, ...]], join: str) -> list[str]:
    names = []
    for cells in zip(*rows, strict=True):
        levels = ["".join(str(cell).split()) for cell in cells if cell is not None]
        names.append(join.join(dict.fromkeys(levels)))
    return names


def _cell_text(value: Any) -> str | None:
    """A cell as the text that a person sees; formula errors (#REF!) stay and fail their column's type."""
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
