"""What a department mended of its refused rows: read from the file that it sends back, laid over what had landed."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from threegaps.batch.storable import is_storable
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import PERSON_COLUMN
from threegaps.errors import FeedError
from threegaps.returned.files import ROWS_SHEET
from threegaps.standards.identity_in_text import MASK, masked
from threegaps.standards.visible import from_spreadsheet, visible
from threegaps.standards.white_space import WHITE_SPACE
from threegaps.warehouse.quarantine import BATCH_HEADER, NUMBER_HEADER, ROW_HEADER, SOURCE_HEADER, RefusedRow

_MOST_CELL_CHARACTERS = 131_072
_MOST_LINE_CHARACTERS = 1 << 20
_MOST_MEBIBYTES = 64
"""Of a file, and of the characters that it holds once unpacked: all of its rows are kept at once."""
_MOST_ROWS = 200_000

_BATCH = re.compile("[0-9]{1,18}")
_FORMS = "send back the exported file as .xlsx, or as .csv in UTF-8."


@dataclass(frozen=True, slots=True)
class Repair:
    """One row of the file.

    Args:
        row_token: Which refused row it mends.
        batch_id: The batch whose refusal was sent out; None where the cell is no number.
        row_number: Its number in the file, counted from 1 at the first data row.
        values: The texts in it by canonical name; an empty cell is an empty text.
        source_name: The file that the refused row was in, as the row itself says; empty where it does not.
        source_row: Its place there, likewise.
    """

    row_token: str
    batch_id: int | None
    row_number: int
    values: Mapping[str, str]
    source_name: str = ""
    source_row: str = ""


def read_repairs(contract: Contract, path: Path) -> list[Repair]:
    """The rows of a file that `quarantine.export` wrote and a department has worked on.

    Raises:
        FeedError: It is no such file: another format or encoding, no column of tokens or batches, a column of the feed
            that is missing, a token twice, a cell that the warehouse cannot hold, or more than is taken in at once.
    """
    rows = _bounded_rows(contract, path)
    header = [cell.strip(WHITE_SPACE) for cell in next(rows, [])]
    missing = [
        name
        for name in (ROW_HEADER, BATCH_HEADER, *(column.source_name for column in contract.sent_columns))
        if name not in header
    ]
    if missing:
        raise FeedError(
            f"The file has no column {missing[0]!r}.",
            feed=contract.feed,
            file=path.name,
            row=0,
            column=missing[0],
            advice="send back the exported file itself, with its header, and change cells only.",
        )
    indexes = {column.name: header.index(column.source_name) for column in contract.sent_columns}
    token_index, batch_index = header.index(ROW_HEADER), header.index(BATCH_HEADER)
    said = {name: header.index(name) for name in (SOURCE_HEADER, NUMBER_HEADER) if name in header}
    repairs: dict[str, Repair] = {}
    for number, row in enumerate(rows, 1):
        if not any(row):
            continue
        if len(repairs) == _MOST_ROWS:
            raise _too_much(contract, path, f"{_MOST_ROWS:,} rows")
        cells = [*row, *[""] * (len(header) - len(row))]
        for name, index in {ROW_HEADER: token_index, **indexes}.items():
            if not is_storable(cells[index]):
                raise FeedError(
                    "The cell holds a NUL or half a character.",
                    feed=contract.feed,
                    file=path.name,
                    row=number,
                    column=name,
                    advice="write the cell again by hand, and send the file back.",
                )
        token = cells[token_index].strip(WHITE_SPACE)
        if not token or token in repairs:
            raise FeedError(
                "The row's token stands in the file twice." if token else "The row has no token.",
                feed=contract.feed,
                file=path.name,
                row=number,
                column=ROW_HEADER,
                advice="keep each exported row once, with its token.",
            )
        batch = cells[batch_index].strip(WHITE_SPACE)
        batch_id = int(batch) if _BATCH.fullmatch(batch) else None
        values = {name: from_spreadsheet(cells[index]) for name, index in indexes.items()}
        where = {name: from_spreadsheet(cells[index].strip(WHITE_SPACE)) for name, index in said.items()}
        repairs[token] = Repair(
            token, batch_id, number, values, where.get(SOURCE_HEADER, ""), where.get(NUMBER_HEADER, "")
        )
    return list(repairs.values())


def is_where_it_says(repair: Repair, refused: RefusedRow) -> bool:
    """Whether the refused row under a repair's token stood where the repair says, as far as it says so.

    Tokens that were sorted or moved apart from their rows would put one person's values on another.
    """
    said = ((repair.source_name, refused.source_name), (repair.source_row, str(refused.row_number)))
    return all(not written or _is_as_sent_out(written, true.strip(WHITE_SPACE)) for written, true in said)


def is_touched(repair: Repair, refused: Mapping[str, Any]) -> bool:
    """Whether the department changed anything of the refused row; its document number was never sent out."""
    return any(
        not _is_as_sent_out(value, "" if name == PERSON_COLUMN else refused.get(name))
        for name, value in repair.values.items()
    )


def is_same_row(contract: Contract, refused: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two rows under one token are the same, by all that is kept of them; where nothing can be compared, no.

    A row's number, and so its token, follows from what the contract takes for no row: of another version of it, or
    judged again, the same token may stand for another row.

    Args:
        refused: The refused row as quarantine keeps it.
        other: Another one, or a landed row with its document number replaced likewise.
    """
    names = [column.name for column in contract.columns if column.name in refused and column.name in other]
    return bool(names) and all(masked(refused[name] or "") == masked(other[name] or "") for name in names)


def masked_columns(repair: Repair, refused: Mapping[str, Any]) -> frozenset[str]:
    """The columns of a repair that stand for what had landed: a document number that the department left out, a text
    whose identity number is still masked as it was sent out."""
    return frozenset(
        name
        for name, value in repair.values.items()
        if (name == PERSON_COLUMN and not value) or (MASK in value and _is_as_sent_out(value, refused.get(name)))
    )


def laid_over(
    contract: Contract, repair: Repair, refused: Mapping[str, Any], landed: Mapping[str, str | None]
) -> dict[str, str | None]:
    """The repaired row by canonical name: what the department wrote, over what had landed.

    Args:
        refused: The refused row as quarantine keeps it.
        landed: What had landed in the columns that were not sent out as they are, see `masked_columns`; it stands
            unless the department wrote something else.
    """
    kept = masked_columns(repair, refused)
    row: dict[str, str | None] = {}
    for column in contract.sent_columns:
        written = repair.values[column.name]
        if column.name in kept:
            row[column.name] = landed.get(column.name)
        else:
            row[column.name] = written or None
            if _is_as_sent_out(written, refused.get(column.name)):
                row[column.name] = refused.get(column.name)
    return row


def repairs_file(rows: list[tuple[Repair, dict[str, str | None]]]) -> bytes:
    """Repaired rows as they are landed: one JSON object a line, texts by canonical name."""
    return "".join(
        json.dumps({"row_token": repair.row_token, "row_number": repair.row_number, "row": row}, ensure_ascii=False)
        + "\n"
        for repair, row in rows
    ).encode("utf-8")


def repaired_rows(landed: bytes) -> dict[str, int]:
    """The tokens of the refused rows that a landed file of repairs mends, and the number of each repair in it."""
    repairs = [json.loads(line) for line in landed.splitlines()]
    return {str(one["row_token"]): int(one["row_number"]) for one in repairs}


def _bounded_rows(contract: Contract, path: Path) -> Iterator[list[str]]:
    """The rows of a file, none wider than a feed's may be, and together no more than memory holds."""
    most_columns = contract.file_format.limits.columns
    most, characters = _MOST_MEBIBYTES << 20, 0
    try:
        size = path.stat().st_size
    except OSError as error:
        raise _unreadable(contract, path, error) from None
    if size > most:
        raise _too_much(contract, path, f"{_MOST_MEBIBYTES} MiB")
    for row in _rows(contract, path):
        characters += sum(map(len, row))
        if characters > most:
            raise _too_much(contract, path, f"{_MOST_MEBIBYTES} MiB")
        if len(row) > most_columns:
            raise _too_much(contract, path, f"{most_columns:,} columns")
        yield row


def _rows(contract: Contract, path: Path) -> Iterator[list[str]]:
    ending = path.suffix.lower()
    if ending == ".xlsx":
        yield from _sheet_rows(contract, path)
        return
    if ending != ".csv":
        raise FeedError("The file is neither .csv nor .xlsx.", feed=contract.feed, file=path.name, advice=_FORMS)
    number = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(_lines(file)):
                # Not left to the parser: its limit is the whole process's, and other packages lift it.
                if any(len(cell) > _MOST_CELL_CHARACTERS for cell in row):
                    raise _not_split(contract, path, number)
                yield row
                number += 1
    except UnicodeDecodeError:
        raise FeedError("The file is not UTF-8.", feed=contract.feed, file=path.name, advice=_FORMS) from None
    except OSError as error:
        raise _unreadable(contract, path, error) from None
    except csv.Error:
        raise _not_split(contract, path, number) from None


def _lines(file: TextIO) -> Iterator[str]:
    """The lines of a file; one that no exported row has is no line of a CSV."""
    while line := file.readline(_MOST_LINE_CHARACTERS):
        if len(line) == _MOST_LINE_CHARACTERS:
            raise csv.Error
        yield line


def _unreadable(contract: Contract, path: Path, error: OSError) -> FeedError:
    return FeedError(f"The file cannot be read: {error.strerror}.", feed=contract.feed, file=path.name, advice=_FORMS)


def _too_much(contract: Contract, path: Path, most: str) -> FeedError:
    return FeedError(
        f"The file has more than {most}, the most that is taken in at once.",
        cause="limit_exceeded",
        feed=contract.feed,
        file=path.name,
        advice="send its rows back in several files, each with the header, and without empty columns behind them.",
    )


def _not_split(contract: Contract, path: Path, number: int) -> FeedError:
    return FeedError(
        "The row cannot be split into cells.",
        feed=contract.feed,
        file=path.name,
        row=number,
        advice=f"look for a quote that is not closed, or a cell of more than {_MOST_CELL_CHARACTERS} characters;"
        " else send it back as .xlsx.",
    )


def _sheet_rows(contract: Contract, path: Path) -> Iterator[list[str]]:
    """The rows of the sheet that was sent out, by its name or as the only one that holds any; a cell whose value cannot
    be had is not an empty one."""
    # Late: what loads without repairs is not to import polars.
    from threegaps.batch.decode import Part
    from threegaps.batch.decode.faults import FaultKind
    from threegaps.batch.decode.xlsx.book import read_book
    from threegaps.batch.decode.xlsx.container import open_container
    from threegaps.batch.decode.xlsx.sheet import SheetReader, reference

    part = Part(0, path.name, lambda: path.open("rb"))
    with open_container(contract, part) as container:
        book = read_book(contract, part, container)
        reader = SheetReader(contract, part, book)
        surveys = [(sheet, survey) for sheet in book.sheets if (survey := reader.survey(sheet)).rows]
        surveys = [one for one in surveys if one[0].name == ROWS_SHEET] or surveys
        if len(surveys) != 1 or surveys[0][1].merges or book.has_1904_dates:
            raise FeedError(
                "The workbook has several sheets with rows, or none, merged cells, or days that count from 1904.",
                feed=contract.feed,
                file=path.name,
                advice="send back the exported file itself, and change cells only.",
            )
        yes_or_no = {column.source_name for column in contract.sent_columns if column.logical_type == "boolean"}
        asking: frozenset[int] | None = None
        before = 0
        for row in reader.rows(surveys[0][0]):
            if asking is None:
                asking = frozenset(
                    cell.column for cell in row.cells if (cell.text or "").strip(WHITE_SPACE) in yes_or_no
                )
            # Blank rows count, so that a message names the row that a person sees.
            yield from ([] for _ in range(before + 1, row.number))
            before = row.number
            cells = [""] * row.cells[-1].column
            for cell in row.cells:
                if cell.fault is not None or cell.text is None:
                    kind = cell.fault or FaultKind.UNKNOWN_CELL
                    raise FeedError(
                        f"Cell {reference(row.number, cell.column)} {kind.message_en}.",
                        feed=contract.feed,
                        file=path.name,
                        row=row.number - 1,
                        advice="write its value into it by hand, and send the file back.",
                    )
                cells[cell.column - 1] = (cell.yes_or_no if cell.column in asking else None) or cell.text
            yield cells


def _is_as_sent_out(value: str, refused: str | None) -> bool:
    """Whether a cell still says what the exported one did, whose characters that act or hide stood as numbers."""
    return value in {refused or "", visible(refused or "")}
