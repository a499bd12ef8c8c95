"""Returned rows as a workbook and as CSV: what was sent is a text or a number in them, and never a formula."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from threegaps.contracts.model import Column
from threegaps.errors import SettingsError
from threegaps.returned.expected import expected_zh
from threegaps.returned.rows import Returned, ReturnedRow, reasons_zh, said_zh
from threegaps.standards.replacing import replaced
from threegaps.standards.visible import for_spreadsheet, visible

ROWS_SHEET = "退回数据"
SUMMARY_SHEET = "说明"
_SYNTHETIC = "合成数据,仅供演示 Synthetic data"
_WIDEST, _NARROWEST = 40, 8
_MOST_COMMENTS = 2_000
"""Comments in a workbook; wrong cells beyond are coloured only, and the reasons stand in the last column anyway."""
_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,14}")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,11})\.[0-9]{0,3}[1-9]")
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_COMPARE = "主键相同的各行内容不同:请与另一行核对,把各行改为一致,主键无误时不必改动"
_MOST_CHARACTERS = 32_767
_MOST_ROWS = 1_048_575
"""What a workbook's cell and sheet hold, a header aside; what is longer would be cut without a word."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def check_target(path: Path, *, force: bool, inputs: Sequence[Path] = ()) -> None:
    """Refuse to write where something lies, before any work is done.

    Args:
        path: Where it is to be written.
        force: Whether it may be written over a file that is there.
        inputs: What is read, and never written over.

    Raises:
        SettingsError: The file is of no kind that is written, one that is read, has no folder, or is there and *force*
            is not said.
    """
    _writer_of(path)
    if path.resolve() in {one.resolve() for one in inputs}:
        raise SettingsError(f"{path.name} is the file that is checked.", advice="name another file.")
    if not path.parent.is_dir():
        raise SettingsError(f"The folder of {path.name} is not there.", advice="make it, or name another file.")
    if path.exists() and not force:
        raise SettingsError(f"{path.name} is there already.", advice="name another file, or say --force.")


def make_folder(path: Path) -> None:
    """Make a folder for returned rows that its owner alone may read, where there is none.

    Raises:
        SettingsError: It cannot be made.
    """
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The folder {path} cannot be made: {error.strerror}.", advice="name another one."
        ) from None


def write_file(path: Path, returned: Returned) -> None:
    """Write the rows to *path*, by its ending; it is readable by its owner only, and whole or not there.

    Raises:
        SettingsError: The file is of no kind that is written, or it cannot be written there.
    """
    write = _writer_of(path)
    with replaced(path, mode=0o600) as file:
        write(file, returned)


def write_csv(file: IO[bytes], returned: Returned) -> None:
    """Write the rows as CSV in UTF-8 with the mark that spreadsheets look for."""
    with io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True) as text:
        writer = csv.writer(text)
        writer.writerow(returned.header)
        for row in returned.rows:
            writer.writerow([for_spreadsheet(cell) for cell in _cells(returned, row)])


def write_workbook(file: IO[bytes], returned: Returned) -> None:
    """Write the rows as .xlsx: wrong cells are coloured and say in a comment what is wrong and what belongs there.

    A number or a day is one in its cell where it is read back as what was sent; all else is a text, also where it looks
    like a formula or an error of a spreadsheet. Behind the rows stands a sheet that sums up.
    """
    from openpyxl import Workbook

    # Before anything is written: openpyxl keeps what it has begun in files of its own.
    longest = (len(written) for row in returned.rows for cell in _cells(returned, row) if (written := _written(cell)))
    if len(returned.rows) > _MOST_ROWS or max(longest, default=0) > _MOST_CHARACTERS:
        raise SettingsError(
            "There are more rows, or longer values, than a workbook holds.",
            advice="write .csv instead, or fewer rows: of one delivery, rule or county.",
        )
    workbook = Workbook(write_only=True)
    _write_rows(workbook, returned)
    _write_summary(workbook, returned)
    workbook.save(file)


def _write_rows(workbook: Any, returned: Returned) -> None:
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    columns = returned.contract.sent_columns
    header = returned.header
    sheet = workbook.create_sheet(ROWS_SHEET)
    sheet.freeze_panes = f"{get_column_letter(len(returned.where) + 1)}2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(header))}{len(returned.rows) + 1}"
    for place, width in enumerate(_widths(returned), 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    bold, grey = Font(bold=True), PatternFill("solid", start_color="FFE7E6E6")
    wrong_fill = PatternFill("solid", start_color="FFFFC7CE")
    heads = [_text(sheet, head) for head in header]
    for cell in heads:
        cell.font, cell.fill = bold, grey
    if returned.is_synthetic:
        heads[0].comment = _comment(_SYNTHETIC)
    sheet.append(heads)
    comments = 0
    expected = {column.name: expected_zh(returned.contract, column) for column in columns}
    for row in returned.rows:
        wrong = returned.wrong_columns(row)
        cells = [_text(sheet, where) for where in row.where]
        for column in columns:
            said = wrong.get(column.name)
            sent = row.values.get(column.name) or ""
            cell = _typed(sheet, column, sent)
            if said:
                cell.fill = wrong_fill
                if comments < _MOST_COMMENTS:
                    asked = f"应填:{expected[column.name]}" if said.is_wrong_by_itself else _COMPARE
                    cell.comment = _comment(f"{';'.join(map(said_zh, said.reasons))}。{asked}。")
                    comments += 1
            cells.append(cell)
        cells.append(_text(sheet, reasons_zh(row)))
        sheet.append(cells)


def _write_summary(workbook: Any, returned: Returned) -> None:
    """What the file is and how it is mended, and how many rows each thing is wrong with."""
    from openpyxl.styles import Font

    contract, bold = returned.contract, Font(bold=True)
    sheet = workbook.create_sheet(SUMMARY_SHEET)
    for letter, width in (("A", 34), ("B", 24), ("C", 60), ("D", 12)):
        sheet.column_dimensions[letter].width = width
    if returned.is_synthetic:
        sheet.append([_bold(sheet, _SYNTHETIC, bold)])
    about = [
        ("数据", f"{contract.title_zh}({contract.feed})"),
        ("合同版本", contract.version),
        ("报送单位", contract.owner_zh),
        *returned.about,
        ("退回行数", f"{len(returned.rows)}"),
        (
            "怎样更正",
            f"在工作表“{ROWS_SHEET}”中更正标红的单元格,保留表头和左侧各列;把鼠标放在标红的单元格上,可见错在哪里、应填什么。",
        ),
    ]
    for name, said in about:
        sheet.append([_bold(sheet, name, bold), _text(sheet, said)])
    sheet.append([])
    sheet.append([_bold(sheet, head, bold) for head in ("规则", "列", "问题", "行数")])
    labels = {column.name: column.source_name for column in contract.sent_columns}
    for total in returned.totals():
        named = labels.get(total.column or "", "整行")
        sheet.append([_text(sheet, total.rule), _text(sheet, named), _text(sheet, total.message_zh), total.rows])


def _typed(sheet: Any, column: Column, sent: str) -> Any:
    """A cell that holds a number or a day as one, where it is read back as the text that was sent."""
    from openpyxl.cell import WriteOnlyCell

    if column.logical_type in {"integer", "number"}:
        if _WHOLE_NUMBER.fullmatch(sent):
            return WriteOnlyCell(sheet, int(sent))
        if _DECIMAL.fullmatch(sent):
            return WriteOnlyCell(sheet, float(sent))
    if column.logical_type == "date" and _DAY.fullmatch(sent):
        try:
            day = dt.datetime.fromisoformat(sent)
        except ValueError:
            return _text(sheet, sent)
        if day.year >= 1901:
            cell = WriteOnlyCell(sheet, day)
            cell.number_format = "yyyy-mm-dd"
            return cell
    return _text(sheet, sent)


def _text(sheet: Any, value: str) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, _written(value))
    cell.data_type = "s"  # a text, were it written like one of a spreadsheet's errors
    return cell


def _written(value: str) -> str:
    # What looks like a workbook's own escape would be read back as the character that it stands for.
    return _ESCAPE.sub("_x005F_", for_spreadsheet(value))


def _bold(sheet: Any, value: str, font: Any) -> Any:
    cell = _text(sheet, value)
    cell.font = font
    return cell


def _comment(text: str) -> Any:
    from openpyxl.comments import Comment

    return Comment(visible(text), "ThreeGaps", height=90, width=320)


def _widths(returned: Returned) -> list[int]:
    """A width for each column, by its head and its first rows."""
    longest = [_shown_width(head) for head in returned.header]
    for row in returned.rows[:200]:
        for place, cell in enumerate(_cells(returned, row)):
            longest[place] = max(longest[place], _shown_width(cell))
    widths = [min(max(width + 2, _NARROWEST), _WIDEST) for width in longest]
    return [*widths[:-1], 2 * _WIDEST]


def _cells(returned: Returned, row: ReturnedRow) -> Sequence[str]:
    names = [column.name for column in returned.contract.sent_columns]
    return [*row.where, *(row.values.get(name) or "" for name in names), reasons_zh(row)]


def _shown_width(text: str) -> int:
    """How wide a text is: one of ours is two of theirs."""
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text[:_WIDEST])


_Writer = Callable[[IO[bytes], Returned], None]
_WRITERS: Mapping[str, _Writer] = {".csv": write_csv, ".xlsx": write_workbook}


def _writer_of(path: Path) -> _Writer:
    if path.suffix.lower() not in _WRITERS:
        raise SettingsError("The file is neither .csv nor .xlsx.", advice="name it by the form that you want.")
    return _WRITERS[path.suffix.lower()]
