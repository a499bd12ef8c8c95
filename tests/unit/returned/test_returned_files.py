"""Files of returned rows: an official can work with them, nothing in them acts, and they come back as they went out."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from tests.unit.feeds.feed_fixture import load_fixture
from tests.unit.file_check.test_checking import CONTRACTS, written
from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.errors import SettingsError
from threegaps.file_check import check_files
from threegaps.returned import Returned, ReturnedRow, check_target, write_file
from threegaps.warehouse.quarantine import BATCH_HEADER, ROW_HEADER
from threegaps.warehouse.repairs import is_touched, laid_over, read_repairs

AGREEMENTS = CONTRACTS["union/collective_agreements"]
AMOUNT = "covered_employees"
WHERE = (ROW_HEADER, BATCH_HEADER)
ACTING = (
    "=1+1",
    "\n=1+1",
    "＝1+1",
    "\ufeff=1+1",
    "\t@SUM(1)",
    "'=1",
    "+86",
    "-1-1",
    "#REF!",
    "\x1b[31m",
    "a\x00b",
    "0123",
)


def refused_rows(contract: Contract, folder: Path) -> list[ReturnedRow]:
    fixture = load_fixture(contract)
    paths = written(folder, dict(fixture.files))
    found = check_files(contract, paths, Delivery.parse(contract.cadence, fixture.delivery))
    return [replace(row, where=(f"1-{place}", "7")) for place, row in enumerate(found.rows, 1)]


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
@pytest.mark.parametrize("ending", [".xlsx", ".csv"])
def test_what_nobody_touched_comes_back_as_it_was_sent(contract: Contract, ending: str, tmp_path: Path) -> None:
    rows = refused_rows(contract, tmp_path / "sent")
    path = tmp_path / f"rows{ending}"
    write_file(path, Returned(contract, WHERE, rows, is_synthetic=True))
    assert path.stat().st_mode & 0o077 == 0
    repairs = read_repairs(contract, path)
    assert [repair.row_token for repair in repairs] == [row.where[0] for row in rows]
    for repair, row in zip(repairs, rows, strict=True):
        assert not is_touched(repair, row.values)
        sent = {column.name: row.values.get(column.name) for column in contract.sent_columns}
        assert laid_over(contract, repair, row.values, sent) == sent


@pytest.mark.parametrize("ending", [".xlsx", ".csv"])
def test_nothing_that_was_received_acts_on_who_opens_the_file(ending: str, tmp_path: Path) -> None:
    names = [column.name for column in AGREEMENTS.sent_columns]
    rows = [ReturnedRow((f"1-{place}", "7"), dict.fromkeys(names, text), []) for place, text in enumerate(ACTING, 1)]
    path = tmp_path / f"rows{ending}"
    write_file(path, Returned(AGREEMENTS, WHERE, rows, is_synthetic=False))
    if ending == ".csv":
        text = path.read_text(encoding="utf-8-sig")
        cells = [cell for line in csv.reader(text.splitlines()) for cell in line]
    else:
        sheet = openpyxl.load_workbook(path)["退回数据"]
        assert not {cell.data_type for line in sheet.iter_rows() for cell in line} & {"f", "e"}
        cells = [str(cell.value or "") for line in sheet.iter_rows() for cell in line]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@", "＝"))]
    assert not [cell for cell in cells if any(sign in cell for sign in "\x1b\x00\t\ufeff")]
    repairs = read_repairs(AGREEMENTS, path)
    assert not any(is_touched(repair, row.values) for repair, row in zip(repairs, rows, strict=True))


def test_a_wrong_cell_says_what_is_wrong_and_what_belongs_there(tmp_path: Path) -> None:
    rows = refused_rows(AGREEMENTS, tmp_path / "sent")
    path = tmp_path / "rows.xlsx"
    write_file(path, Returned(AGREEMENTS, WHERE, rows, is_synthetic=True, about=[("数据期", "2026Q2")]))
    book = openpyxl.load_workbook(path)
    sheet = book["退回数据"]
    assert sheet.freeze_panes == "C2"
    head = {cell.value: cell.column for cell in sheet[1]}
    marked = {
        (line[0].value, sheet.cell(1, cell.column).value): cell.comment.text
        for line in sheet.iter_rows(min_row=2)
        for cell in line
        if cell.comment is not None
    }
    coloured = {
        (line[0].value, sheet.cell(1, cell.column).value)
        for line in sheet.iter_rows(min_row=2)
        for cell in line
        if cell.fill.start_color.rgb == "FFFFC7CE"
    }
    assert coloured == marked.keys()
    by_rule = {reason["rule"]: row for row in rows for reason in row.reasons}
    # A rule on two days marks both of them.
    in_order = by_rule["dates_in_order"]
    assert {(in_order.where[0], "生效日期"), (in_order.where[0], "期满日期")} <= marked.keys()
    assert "期满日期早于生效日期" in marked[in_order.where[0], "期满日期"]
    assert "日期,如 2026-06-30" in marked[in_order.where[0], "期满日期"]
    scope = by_rule["scope_code"]
    assert "代码:" in marked[scope.where[0], "协商层级"]
    # A day that is right is one, so that the official can sort by it.
    days = {sheet.cell(number, head["生效日期"]).value for number in range(2, sheet.max_row + 1)}
    assert any(isinstance(day, dt.datetime) for day in days)
    summary = [[cell for cell in line if cell is not None] for line in book["说明"].iter_rows(values_only=True)]
    assert summary[0][0].startswith("合成数据")
    assert ["数据期", "2026Q2"] in summary
    counted = {line[0]: line[3] for line in summary if len(line) == 4 and isinstance(line[3], int)}
    assert counted["filing_area_code_valid"] == 2
    assert sum(counted.values()) == sum(len(row.reasons) for row in rows)


def test_a_wrong_number_is_a_number_in_its_cell_and_comes_back_as_it_was_sent(tmp_path: Path) -> None:
    (column,) = [one for one in AGREEMENTS.sent_columns if one.name == AMOUNT]
    rule = next(one for one in AGREEMENTS.rules if one.rule == f"{AMOUNT}_range")
    said = {"rule": rule.rule, "column": rule.column, "message_zh": rule.message_zh, "message_en": rule.message_en}
    values: dict[str, str | None] = {one.name: None for one in AGREEMENTS.sent_columns} | {AMOUNT: "-120"}
    path = tmp_path / "back.xlsx"
    write_file(path, Returned(AGREEMENTS, WHERE, [ReturnedRow(("1-2", "7"), values, [said])], is_synthetic=False))
    sheet = openpyxl.load_workbook(path)["退回数据"]
    (cell,) = [one for one in sheet[2] if sheet.cell(1, one.column).value == column.source_name]
    assert (cell.value, cell.data_type) == (-120, "n")
    assert cell.comment is not None
    (repair,) = read_repairs(AGREEMENTS, path)
    assert not is_touched(repair, values)


def test_what_contradicts_another_row_names_that_row_and_nothing_of_it(tmp_path: Path) -> None:
    rule = next(one for one in AGREEMENTS.rules if one.rule == "key_unique")
    said = {"rule": rule.rule, "column": rule.column, "message_zh": rule.message_zh, "message_en": rule.message_en}
    rows = [
        ReturnedRow(("1-2", "7"), {}, [said | {"other_row": "4", "other_object": None}]),
        ReturnedRow(("1-4", "7"), {}, [said | {"other_row": "9", "other_object": "77"}]),
        ReturnedRow(("1-5", "7"), {}, [said]),
    ]
    returned = Returned(AGREEMENTS, WHERE, rows, is_synthetic=False)
    path = tmp_path / "back.xlsx"
    write_file(path, returned)
    sheet = openpyxl.load_workbook(path)["退回数据"]
    found = [" ".join(cell.comment.text for cell in row if cell.comment) for row in sheet.iter_rows(min_row=2)]
    assert "(另见数据行4)" in found[0]
    assert "(另见另一文件的数据行9)" in found[1]
    assert found[2]
    assert "另见" not in found[2]
    assert sheet.cell(2, sheet.max_column).value == f"{rule.message_zh}(另见数据行4)"
    assert [total.rows for total in returned.totals()] == [3], "it is one thing that is wrong"


def test_of_rows_that_contradict_each_other_the_cells_that_differ_are_marked_and_the_key_is_not(
    tmp_path: Path,
) -> None:
    rule = next(one for one in AGREEMENTS.rules if one.rule == "key_unique")
    said = {"rule": rule.rule, "column": rule.column, "message_zh": rule.message_zh, "message_en": rule.message_en}
    amount = next(one for one in AGREEMENTS.rules if one.rule == f"{AMOUNT}_range")
    both = {one.name: "1" for one in AGREEMENTS.sent_columns}
    key = dict.fromkeys(AGREEMENTS.key, "2")
    rows = [
        ReturnedRow(("1-1", "7"), both | {AMOUNT: "411"}, [said]),
        ReturnedRow(("1-2", "7"), both | {AMOUNT: "77777"}, [said]),
        # One of another key that is alone here, and one that is no contradiction.
        ReturnedRow(("1-3", "7"), both | key | {AMOUNT: "411"}, [said]),
        ReturnedRow(("1-4", "7"), both | {AMOUNT: "-5"}, [said | {"rule": amount.rule, "column": AMOUNT}]),
    ]
    returned = Returned(AGREEMENTS, WHERE, rows, is_synthetic=False)
    assert [set(returned.wrong_columns(row)) for row in rows] == [{AMOUNT}, {AMOUNT}, set(AGREEMENTS.key), {AMOUNT}]
    path = tmp_path / "back.xlsx"
    write_file(path, returned)
    sheet = openpyxl.load_workbook(path)["退回数据"]
    comments = [[cell.comment.text for cell in row if cell.comment] for row in sheet.iter_rows(min_row=2)]
    assert all("与另一行核对" in text and "应填" not in text for text in (*comments[0], *comments[1], *comments[2]))
    assert all("应填:整数" in text for text in comments[3])


def test_a_running_number_is_no_contradiction() -> None:
    contract = CONTRACTS["hrss/skill_enterprises"]
    rule = next(one for one in contract.rules if one.rule == "key_unique")
    said = {"rule": rule.rule, "column": rule.column, "message_zh": rule.message_zh, "message_en": rule.message_en}
    both = {one.name: "1" for one in contract.sent_columns}
    rows = [
        ReturnedRow((), both | {"sequence_number": number, "employees": number}, [said]) for number in ("1446", "1447")
    ]
    returned = Returned(contract, (), rows, is_synthetic=False)
    assert [set(returned.wrong_columns(row)) for row in rows] == [{"employees"}] * 2


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    check_target(path, force=False)
    path.write_text("of before", encoding="utf-8")
    with pytest.raises(SettingsError, match="there already"):
        check_target(path, force=False)
    check_target(path, force=True)
    with pytest.raises(SettingsError, match="neither"):
        check_target(tmp_path / "rows.txt", force=True)
    with pytest.raises(SettingsError, match="folder"):
        check_target(tmp_path / "none" / "rows.csv", force=True)


def test_what_a_workbook_would_cut_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = AGREEMENTS.sent_columns[0].name
    rows = [ReturnedRow((f"1-{row}", "7"), {name: text}, []) for row, text in enumerate(("received", "x" * 40_000))]
    returned = Returned(AGREEMENTS, WHERE, rows, is_synthetic=False)
    (tmp_path / "temporary").mkdir()
    # Where openpyxl keeps what it has begun: after a failure the rows before it would stay there.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with pytest.raises(SettingsError, match="csv"):
        write_file(tmp_path / "rows.xlsx", returned)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    write_file(tmp_path / "rows.csv", returned)
    _, repair = read_repairs(AGREEMENTS, tmp_path / "rows.csv")
    assert repair.values[name] == "x" * 40_000
