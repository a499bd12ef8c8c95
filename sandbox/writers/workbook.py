"""Excel workbooks: lines of cells on one or several sheets, written as Office Open XML (ISO/IEC 29500-1).

Written out by hand: a library that keeps an object for each cell takes ten times as long, and puts the time of writing
into the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import polars as pl

Cell = str | int | float | date | None

# A table of more columns than these is refused by zip.
_LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_EXCEL_EPOCH = date(1899, 12, 30).toordinal()
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Style 1 is a day; 14 is the number format of days that every Excel has.
_STYLES = (
    f'{_HEAD}<styleSheet {_MAIN}><fonts count="1"><font/></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


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

    @property
    def data_rows(self) -> list[int]:
        """The Excel rows, from 1, of its data lines."""
        return [number for number, line in enumerate(self.lines, 1) if line.is_data]


def write_workbook(rows: pl.DataFrame, sheets: list[Sheet], path: Path) -> pl.DataFrame:
    """Write the sheets. Returns `rows` with the Excel row of each on its sheet (`_row`)."""
    places: dict[str, int] = {}
    # Texts stand in one list of the book, known when all sheets have been written.
    parts = {f"xl/worksheets/sheet{number}.xml": _sheet_part(sheet, places) for number, sheet in enumerate(sheets, 1)}
    texts = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in places)
    parts |= {
        "xl/sharedStrings.xml": f'{_HEAD}<sst {_MAIN} uniqueCount="{len(places)}">{texts}</sst>',
        "xl/styles.xml": _STYLES,
    } | _book_parts(sheets)
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in parts.items():
            archive.writestr(ZipInfo(name), text, ZIP_DEFLATED)
    numbers = [number for sheet in sheets for number in sheet.data_rows]
    return rows.with_columns(_row=pl.Series(numbers, dtype=pl.Int64))


def _sheet_part(sheet: Sheet, places: dict[str, int]) -> str:
    """A sheet's XML; `places` takes the number of each text."""
    rows = []
    for number, line in enumerate(sheet.lines, 1):
        cells = []
        for letter, value in zip(_LETTERS, line.cells, strict=False):
            if value is None:
                continue
            if isinstance(value, str):
                cells.append(f'<c r="{letter}{number}" t="s"><v>{places.setdefault(value, len(places))}</v></c>')
            elif isinstance(value, date):
                cells.append(f'<c r="{letter}{number}" s="1"><v>{value.toordinal() - _EXCEL_EPOCH}</v></c>')
            else:
                cells.append(f'<c r="{letter}{number}"><v>{value}</v></c>')
        rows.append(f'<row r="{number}">{"".join(cells)}</row>')
    areas = "".join(f'<mergeCell ref="{area}"/>' for area in sheet.merged)
    merged = f'<mergeCells count="{len(sheet.merged)}">{areas}</mergeCells>' if areas else ""
    return f"{_HEAD}<worksheet {_MAIN}><sheetData>{''.join(rows)}</sheetData>{merged}</worksheet>"


def _book_parts(sheets: list[Sheet]) -> dict[str, str]:
    """What holds for the whole book, and how its parts hang together."""
    numbers = range(1, len(sheets) + 1)
    listed = "".join(
        f'<sheet name={quoteattr(sheet.name)} sheetId="{number}" state="{sheet.state}" r:id="rId{number}"/>'
        for number, sheet in zip(numbers, sheets, strict=True)
    )
    targets = [("worksheet", f"worksheets/sheet{number}.xml") for number in numbers]
    targets += [("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml")]
    links = "".join(
        f'<Relationship Id="rId{number}" Type="{_LINKS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    kinds = [
        ("/xl/workbook.xml", "sheet.main"),
        ("/xl/sharedStrings.xml", "sharedStrings"),
        ("/xl/styles.xml", "styles"),
    ]
    kinds += [(f"/xl/worksheets/sheet{number}.xml", "worksheet") for number in numbers]
    overrides = "".join(f'<Override PartName="{name}" ContentType="{_TYPE}.{kind}+xml"/>' for name, kind in kinds)
    return {
        "xl/workbook.xml": f'{_HEAD}<workbook {_MAIN} xmlns:r="{_LINKS}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>',
        "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>',
    }


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


def excel_amount(text: str) -> Cell:
    """An amount as Excel holds it: a number where the text is a plain one, else the text."""
    whole, _, part = text.partition(".")
    return float(text) if f"{whole}{part}".isdigit() and text.isascii() and whole else text or None
