"""Workbooks as they are written: another reader finds in them what was put there, and no time of writing."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import polars as pl
from openpyxl import load_workbook

from sandbox.writers.workbook import Line, Sheet, excel_amount, excel_date, excel_number, write_workbook

CELLS = ["序号", None, ' <a & "b"> ', 7, 7.25, date(2025, 6, 1), "第一行\n第二行"]


def written(path: Path) -> pl.DataFrame:
    sheets = [
        Sheet(
            "甲&乙", [Line(["标题"]), Line(CELLS, is_data=True), Line(["合计"]), Line(["再"], is_data=True)], ("A1:G1",)
        ),
        Sheet("字典", [Line(["运行"], is_data=True)], state="hidden"),
    ]
    return write_workbook(pl.DataFrame({"row": ["a", "b", "c"]}), sheets, path)


def test_another_reader_finds_what_was_written(tmp_path: Path) -> None:
    rows = written(tmp_path / "book.xlsx")
    assert rows["_row"].to_list() == [2, 4, 1]
    book = load_workbook(tmp_path / "book.xlsx")
    assert [(sheet.title, sheet.sheet_state) for sheet in book.worksheets] == [("甲&乙", "visible"), ("字典", "hidden")]
    sheet = book.worksheets[0]
    assert [str(area) for area in sheet.merged_cells.ranges] == ["A1:G1"]
    found = [cell.value for cell in sheet[2]]
    assert found == [*CELLS[:5], datetime(2025, 6, 1), CELLS[6]]  # noqa: DTZ001  # a day of Excel has no zone
    assert sheet["A4"].value == "再"


def test_the_same_sheets_are_the_same_bytes(tmp_path: Path) -> None:
    written(tmp_path / "one.xlsx")
    written(tmp_path / "other.xlsx")
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "other.xlsx").read_bytes()


def test_texts_become_cells_as_a_clerk_has_them() -> None:
    assert [excel_number("64"), excel_number("64", as_text=True), excel_number("近70"), excel_number("")] == [
        64, "64", "近70", None,
    ]  # fmt: skip
    assert [excel_amount("120.50"), excel_amount("-12.5"), excel_amount("约1200"), excel_amount("")] == [
        120.5, "-12.5", "约1200", None,
    ]  # fmt: skip
    assert [excel_date("2025-06-01", as_date=True), excel_date("2025-06-01", as_date=False)] == [
        date(2025, 6, 1), "2025-06-01",
    ]  # fmt: skip
    assert [excel_date("45809", as_date=True), excel_date("2025-02-30", as_date=True)] == [45809, "2025-02-30"]
