"""What a department changed of a refused row, and what stays as it had landed."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError
from threegaps.settings import Settings
from threegaps.warehouse import repairs
from threegaps.warehouse.quarantine import BATCH_HEADER, ROW_HEADER
from threegaps.warehouse.repairs import (
    Repair,
    is_same_row,
    is_touched,
    laid_over,
    read_repairs,
    repaired_rows,
    repairs_file,
)


@pytest.fixture
def wages() -> Contract:
    return find_contract(Settings.load().contracts_folder, "hrss/wage_records")


@pytest.fixture
def refused(wages: Contract) -> dict[str, str | None]:
    """A refused row as quarantine has it: without a wage, its document number replaced."""
    row: dict[str, str | None] = {column.name: f"{column.name} as sent" for column in wages.columns}
    return {**row, "wage_cny_month": None, "resident_id": "<7-3>"}


def sent_out(refused: dict[str, str | None], **changed: str) -> Repair:
    values = {name: value or "" for name, value in refused.items()} | {"resident_id": ""} | changed
    return Repair("7-3", 5, 1, values)


def test_an_export_that_nobody_changed_is_untouched(refused: dict[str, str | None]) -> None:
    assert not is_touched(sent_out(refused), refused)


@pytest.mark.parametrize("change", [{"wage_cny_month": "7000"}, {"employer_code": ""}, {"resident_id": "1"}])
def test_each_changed_cell_counts(change: dict[str, str], refused: dict[str, str | None]) -> None:
    assert is_touched(sent_out(refused, **change), refused)


def test_a_repair_keeps_the_document_number_that_had_landed(wages: Contract, refused: dict[str, str | None]) -> None:
    row = laid_over(wages, sent_out(refused, wage_cny_month="7000"), refused, {"resident_id": "landed number"})
    assert row == {**refused, "wage_cny_month": "7000", "resident_id": "landed number"}


def test_a_repair_may_mend_the_document_number_and_empty_a_cell(
    wages: Contract, refused: dict[str, str | None]
) -> None:
    repair = sent_out(refused, resident_id="mended number", employer_code="")
    row = laid_over(wages, repair, refused, {"resident_id": "landed number"})
    assert (row["resident_id"], row["employer_code"]) == ("mended number", None)


def test_a_text_that_is_still_masked_keeps_what_had_landed(wages: Contract, refused: dict[str, str | None]) -> None:
    masked = {**refused, "employer_code": "DW ***", "amount_unit": "***"}
    landed: dict[str, str | None] = {"employer_code": "DW 1", "amount_unit": "2", "resident_id": "3"}
    row = laid_over(wages, sent_out(masked, amount_unit="元"), masked, landed)
    assert (row["employer_code"], row["amount_unit"], row["resident_id"]) == ("DW 1", "元", "3")


def test_a_landed_file_of_repairs_says_which_rows_it_mends(wages: Contract, refused: dict[str, str | None]) -> None:
    repair = sent_out(refused, wage_cny_month="7000")
    landed = repairs_file([(repair, laid_over(wages, repair, refused, {}))])
    assert repaired_rows(landed) == {"7-3": 1}
    assert json.loads(landed)["row"]["wage_cny_month"] == "7000"


def test_a_row_is_the_same_by_all_that_is_kept_of_it(wages: Contract, refused: dict[str, str | None]) -> None:
    number = "339900199001010011"
    noted = {**refused, "employer_code": "DW ***"}
    assert is_same_row(wages, refused, dict(refused))
    assert is_same_row(wages, noted, {**refused, "employer_code": f"DW {number}"})
    assert is_same_row(wages, {**refused, "wage_cny_month": ""}, refused)
    for name in refused:
        assert not is_same_row(wages, refused, {**refused, name: "another"})
    # A column that the contract has had since is not compared; a row without any is nobody's.
    without = {name: value for name, value in refused.items() if name != "employer_code"}
    assert is_same_row(wages, without, refused)
    assert not is_same_row(wages, {"fields": "16"}, {"fields": "16"})


@pytest.mark.parametrize(("cell", "batch_id"), [("5", 5), (" 12 ", 12), ("", None), ("五", None), ("9" * 30, None)])
def test_a_file_says_which_batch_refused_a_row(
    wages: Contract, tmp_path: Path, cell: str, batch_id: int | None
) -> None:
    row = {ROW_HEADER: "7-3", BATCH_HEADER: cell}
    (repair,) = read_repairs(wages, sent_back(wages, tmp_path / "refused.csv", row))
    assert repair.batch_id == batch_id


def sent_back(contract: Contract, path: Path, *rows: dict[str, str]) -> Path:
    """A file with these rows, by the source's column names; all other cells are empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, [ROW_HEADER, BATCH_HEADER, *(str(column.source_name) for column in contract.columns)]
        )
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("feed", ["organisation/prosperity_workshops", "statistics/resident_income"])
def test_what_is_derived_is_nobody_s_to_mend(feed: str, tmp_path: Path) -> None:
    contract = find_contract(Settings.load().contracts_folder, feed)
    made = {column.name for column in contract.columns if not column.source_name}
    assert len(made) >= 2
    sent = {column.name: f"{column.name} as sent" for column in contract.sent_columns}
    header = [ROW_HEADER, BATCH_HEADER, *(column.source_name for column in contract.sent_columns), "", "备注"]
    path = tmp_path / "refused.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, ["7-3", "5", *sent.values(), "see the list of May", "and here"]])
    (repair,) = read_repairs(contract, path)
    assert repair.values == sent
    assert not is_touched(repair, sent)
    assert laid_over(contract, repair, sent, {}) == sent


def test_a_nul_in_a_cell_is_refused_by_row_and_column(wages: Contract, tmp_path: Path) -> None:
    rows = [{ROW_HEADER: "7-3"}, {ROW_HEADER: "7-4", "单位编号": "E00\00001"}]
    with pytest.raises(FeedError, match="NUL") as told:
        read_repairs(wages, sent_back(wages, tmp_path / "refused.csv", *rows))
    error = told.value
    assert (error.feed, error.file, error.row, error.column) == (wages.feed, "refused.csv", 2, "employer_code")
    assert error.advice
    with pytest.raises(FeedError, match="NUL") as told:
        read_repairs(wages, sent_back(wages, tmp_path / "refused.csv", {ROW_HEADER: "7\0-3"}))
    assert (told.value.row, told.value.column) == (1, ROW_HEADER)


def worked_on(contract: Contract, path: Path, change: Callable[[Any], None]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([ROW_HEADER, *(column.source_name for column in contract.columns), BATCH_HEADER])
    sheet.append(["7-3", *("x" for _ in contract.columns), "5"])
    change(sheet)
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("E_x0000_", "Cell B2 holds a NUL"),
        ("E_xD800_", "Cell B2 holds half a character"),
        ("=A2", "Cell B2 is a formula without a stored value"),
        ("#REF!", "Cell B2 is the error of a formula"),
    ],
)
def test_a_cell_of_a_workbook_that_cannot_be_had_is_not_empty(
    value: str, words: str, wages: Contract, tmp_path: Path
) -> None:
    path = worked_on(wages, tmp_path / "refused.xlsx", lambda sheet: sheet.cell(2, 2, value))
    with pytest.raises(FeedError, match=words) as told:
        read_repairs(wages, path)
    assert (told.value.file, told.value.row) == ("refused.xlsx", 1)
    assert told.value.advice


def test_a_workbook_that_is_no_exported_one_any_more_is_refused(wages: Contract, tmp_path: Path) -> None:
    merged = worked_on(wages, tmp_path / "merged.xlsx", lambda sheet: sheet.merge_cells("B2:B3"))
    second = worked_on(wages, tmp_path / "second.xlsx", lambda sheet: sheet.parent.create_sheet().append(["x"]))
    for path in (merged, second):
        with pytest.raises(FeedError, match="several sheets with rows, or none, merged cells"):
            read_repairs(wages, path)
    (tmp_path / "none.xlsx").write_bytes(b"PK")
    with pytest.raises(FeedError, match="no Excel workbook"):
        read_repairs(wages, tmp_path / "none.xlsx")


def test_a_file_is_read_by_its_ending_in_whatever_case(wages: Contract, tmp_path: Path) -> None:
    text = sent_back(wages, tmp_path / "REFUSED.CSV", {ROW_HEADER: "7-3", BATCH_HEADER: "5"})
    book = worked_on(wages, tmp_path / "Refused.XLSX", lambda sheet: None)
    for path in (text, book):
        assert [repair.row_token for repair in read_repairs(wages, path)] == ["7-3"]


def test_a_workbook_with_blank_rows_keeps_its_row_numbers(wages: Contract, tmp_path: Path) -> None:
    def change(sheet: Any) -> None:
        sheet.insert_rows(2, 3)
        sheet.cell(5, 3, dt.datetime(2025, 6, 1))  # noqa: DTZ001  # a spreadsheet's days have no zone

    (repair,) = read_repairs(wages, worked_on(wages, tmp_path / "refused.xlsx", change))
    assert (repair.row_token, repair.row_number) == ("7-3", 4)
    assert repair.values[wages.columns[1].name] == "2025-06-01"


@pytest.mark.parametrize(("logical_type", "said"), [("boolean", "1"), ("string", "TRUE")])
def test_yes_in_a_cell_is_a_one_only_where_yes_or_no_is_asked_for(
    wages: Contract, tmp_path: Path, logical_type: str, said: str
) -> None:
    columns = tuple(
        dataclasses.replace(column, logical_type=logical_type) if column.name == "base_limit" else column
        for column in wages.columns
    )
    contract = dataclasses.replace(wages, columns=columns)

    def change(sheet: Any) -> None:
        place = [cell.value for cell in sheet[1]].index(wages.by_name["base_limit"].source_name) + 1
        sheet.cell(2, place, True)

    (repair,) = read_repairs(contract, worked_on(wages, tmp_path / "refused.xlsx", change))
    assert repair.values["base_limit"] == said


@pytest.mark.usefixtures("usual_field_limit")
@pytest.mark.parametrize("limit_of_process", [131_072, 10_000_000])
def test_a_cell_that_is_too_long_is_refused_by_its_row(wages: Contract, tmp_path: Path, limit_of_process: int) -> None:
    csv.field_size_limit(limit_of_process)
    rows = [{ROW_HEADER: "7-3"}, {ROW_HEADER: "7-4", "单位编号": "E" * 200_000}]
    with pytest.raises(FeedError, match="split into cells") as told:
        read_repairs(wages, sent_back(wages, tmp_path / "refused.csv", *rows))
    assert (told.value.feed, told.value.file, told.value.row) == (wages.feed, "refused.csv", 2)
    assert told.value.advice


def test_a_file_that_is_too_large_is_refused_before_it_is_read(
    wages: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repairs, "_rows", None)
    for name in ("refused.csv", "refused.xlsx"):
        with (tmp_path / name).open("wb") as file:
            file.truncate((64 << 20) + 1)
        with pytest.raises(FeedError, match="more than 64 MiB") as told:
            read_repairs(wages, tmp_path / name)
        assert (told.value.feed, told.value.file, told.value.cause) == (wages.feed, name, "limit_exceeded")
        assert "several files" in (told.value.advice or "")


def test_a_file_has_no_more_rows_columns_or_characters_than_are_kept_at_once(
    wages: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{ROW_HEADER: f"7-{number}", BATCH_HEADER: "5", "单位编号": "E" * 1000} for number in range(1, 1200)]
    monkeypatch.setattr(repairs, "_MOST_ROWS", len(rows))
    path = sent_back(wages, tmp_path / "refused.csv", *rows)
    assert len(read_repairs(wages, path)) == len(rows)
    with path.open("a", encoding="utf-8") as file:
        file.write("7-0,5\n")
    with pytest.raises(FeedError, match="more than 1,199 rows"):
        read_repairs(wages, path)
    book = worked_on(
        wages,
        tmp_path / "refused.xlsx",
        lambda sheet: [sheet.append([f"7-{number + 9}", "E" * 32_000]) for number in range(40)],
    )
    monkeypatch.setattr(repairs, "_MOST_MEBIBYTES", 1)
    # Of a workbook the bytes say little.
    assert book.stat().st_size < 1 << 20
    for one in (sent_back(wages, path, *rows), book):
        with pytest.raises(FeedError, match="more than 1 MiB"):
            read_repairs(wages, one)
    path.write_text("," * 1_000, encoding="utf-8")
    with pytest.raises(FeedError, match="more than 1,000 columns"):
        read_repairs(wages, path)
    path.write_text("," * (1 << 20), encoding="utf-8")
    with pytest.raises(FeedError, match="split into cells"):
        read_repairs(wages, path)
