"""Refused rows as the engineer and the department see them."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from psycopg.types.json import Jsonb

from tests.integration.warehouse.conftest import WAGES, Loader
from threegaps.errors import SettingsError
from threegaps.standards.replacing import replaced
from threegaps.warehouse import quarantine
from threegaps.warehouse.repairs import is_touched, laid_over, read_repairs

pytestmark = pytest.mark.integration


def test_refused_rows_are_shown_and_exported_with_their_reasons(loader: Loader, tmp_path: Path) -> None:
    row = {"employer": "A", "wage_month": dt.date(2026, 6, 1), "county": "330102", "wage": "1"}
    loader.load(WAGES, "2026-06", [row], refused=2)
    assert [len(one.reasons) for one in quarantine.show(loader.connection, rule="wage_range")] == [1, 1]
    assert quarantine.show(loader.connection, rule="another") == []
    text, book = tmp_path / "rows.csv", tmp_path / "rows.xlsx"
    assert len(quarantine.export(loader.connection, WAGES, text, is_synthetic=True)) == 2
    assert len(quarantine.export(loader.connection, WAGES, book, is_synthetic=True)) == 2
    lines = list(csv.reader(text.read_text(encoding="utf-8-sig").splitlines()))
    assert lines[0][0] == "行标识"
    assert [line[-1] for line in lines[1:]] == ["超限", "超限"]
    assert text.stat().st_mode & 0o077 == 0
    cells = list(openpyxl.load_workbook(book).active.iter_rows(values_only=True))
    assert [cell[0] for cell in cells] == [line[0] for line in lines]
    with pytest.raises(SettingsError, match="neither"):
        quarantine.export(loader.connection, WAGES, tmp_path / "rows.txt", is_synthetic=True)


def test_nothing_that_was_received_acts_on_who_opens_the_file(loader: Loader, tmp_path: Path) -> None:
    """Neither a formula nor a control sequence; and a file that nobody changed comes back as it was sent out."""
    row = {"employer": "A", "wage_month": dt.date(2026, 6, 1), "county": "330102", "wage": "1"}
    loader.load(WAGES, "2026-06", [row], refused=1)
    sent = {"employer": "\x1b[31m=1+1\x07", "wage": "=HYPERLINK(1)", "county": "'+1", "wage_month": "#N/A"}
    loader.connection.execute("update quarantine.refused_row set row_data = row_data || %s", [Jsonb(sent)])
    for path in (tmp_path / "rows.csv", tmp_path / "rows.xlsx"):
        path.write_text("of before", encoding="utf-8")
        quarantine.export(loader.connection, WAGES, path, is_synthetic=True)
        assert path.stat().st_mode & 0o077 == 0
        if path.suffix == ".csv":
            lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
        else:
            active = openpyxl.load_workbook(path).active
            lines = [list(line) for line in active.iter_rows(values_only=True)]
            assert {cell.data_type for line in active.iter_rows() for cell in line} <= {"s", "n"}
        cells = dict(zip(*lines, strict=True))
        names = {column.name: column.source_name for column in WAGES.sent_columns}
        assert cells[names["employer"]] == "\\x1b[31m=1+1\\x07"
        assert cells[names["wage"]] == "'=HYPERLINK(1)"
        assert cells[names["county"]] == "''+1"
        repair = read_repairs(WAGES, path)[0]
        (refused,) = quarantine.show(loader.connection, feed=WAGES.feed)
        assert not is_touched(repair, refused.row_data)
        assert laid_over(WAGES, repair, refused.row_data, {})["employer"] == sent["employer"]
    assert [one.name for one in sorted(tmp_path.iterdir())] == ["rows.csv", "rows.xlsx"]


def test_an_export_that_fails_leaves_the_file_of_before(loader: Loader, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("of before", encoding="utf-8")
    with pytest.raises(TypeError), replaced(path) as file:
        file.writelines([b"half", "neither bytes"])
    assert path.read_text(encoding="utf-8") == "of before"
    assert list(tmp_path.iterdir()) == [path]
    for wrong in (tmp_path, tmp_path / "not there" / "rows.csv"):
        with pytest.raises(SettingsError), replaced(wrong):
            pass
    quarantine.export(loader.connection, WAGES, path, is_synthetic=True)
    assert path.read_text(encoding="utf-8-sig").startswith("行标识")


def test_a_derived_column_is_not_sent_out(loader: Loader, tmp_path: Path) -> None:
    row = {"employer": "A", "wage_month": dt.date(2026, 6, 1), "county": "330102", "wage": "1"}
    loader.load(WAGES, "2026-06", [row], refused=1)
    *sent, last = WAGES.columns
    contract = replace(WAGES, columns=(*sent, replace(last, headers=())))
    quarantine.export(loader.connection, contract, tmp_path / "rows.csv", is_synthetic=True)
    header, line = csv.reader((tmp_path / "rows.csv").read_text(encoding="utf-8-sig").splitlines())
    assert header == [
        "行标识",
        "来源文件",
        "数据行(不含表头)",
        "退回批次",
        *(column.source_name for column in sent),
        "退回原因",
    ]
    assert len(line) == len(header)
