"""Refused rows as the engineer and the department see them."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from tests.integration.warehouse.conftest import WAGES, Loader
from threegaps.errors import FeedError
from threegaps.warehouse import quarantine

pytestmark = pytest.mark.integration


def test_refused_rows_are_shown_and_exported_with_their_reasons(loader: Loader, tmp_path: Path) -> None:
    row = {"employer": "A", "wage_month": dt.date(2026, 6, 1), "county": "330102", "wage": "1"}
    loader.load(WAGES, "2026-06", [row], refused=2)
    assert [len(one.reasons) for one in quarantine.show(loader.connection, rule="wage_range")] == [1, 1]
    assert quarantine.show(loader.connection, rule="another") == []
    text, book = tmp_path / "rows.csv", tmp_path / "rows.xlsx"
    assert quarantine.export(loader.connection, WAGES, text) == 2
    assert quarantine.export(loader.connection, WAGES, book) == 2
    lines = list(csv.reader(text.read_text(encoding="utf-8-sig").splitlines()))
    assert lines[0][0] == "行标识"
    assert [line[-1] for line in lines[1:]] == ["超限", "超限"]
    assert text.stat().st_mode & 0o077 == 0
    cells = list(openpyxl.load_workbook(book).active.iter_rows(values_only=True))
    assert [cell[0] for cell in cells] == [line[0] for line in lines]
    with pytest.raises(FeedError, match="neither"):
        quarantine.export(loader.connection, WAGES, tmp_path / "rows.txt")


def test_a_derived_column_is_not_sent_out(loader: Loader, tmp_path: Path) -> None:
    row = {"employer": "A", "wage_month": dt.date(2026, 6, 1), "county": "330102", "wage": "1"}
    loader.load(WAGES, "2026-06", [row], refused=1)
    *sent, last = WAGES.columns
    contract = replace(WAGES, columns=(*sent, replace(last, headers=())))
    quarantine.export(loader.connection, contract, tmp_path / "rows.csv")
    header, line = csv.reader((tmp_path / "rows.csv").read_text(encoding="utf-8-sig").splitlines())
    assert header == ["行标识", "来源文件", "行号", "退回批次", *(column.source_name for column in sent), "退回原因"]
    assert len(line) == len(header)
