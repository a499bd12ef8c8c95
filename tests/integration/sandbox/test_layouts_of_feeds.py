"""What feeds of sectors, registers and platforms look like to a reader: layouts, sheets, conventions, what is wrong."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import load_workbook

from sandbox import areas, database
from sandbox.feeds.sectors.training_enrollments import SECTORS


def bad(home: Path, feed: str) -> pl.DataFrame:
    return pl.read_parquet(home / "truth" / "bad_rows.parquet").filter(pl.col("feed") == feed)


@pytest.mark.parametrize(
    ("sector", "encoding", "delimiter", "line_end", "dates"),
    [
        ("housing", "utf-8-sig", ",", "\n", r"^\d{4}-\d\d-\d\d$"),
        ("transport", "utf-8-sig", ",", "\n", r"^\d{4}-\d\d-\d\d$"),
        ("civil_affairs", "gb18030", ",", "\r\n", r"^\d{4}/\d{1,2}/\d{1,2}$"),
        ("health", "gb18030", ",", "\r\n", r"^\d{4}/\d{1,2}/\d{1,2}$"),
        ("emergency", "utf-8", "|", "\n", r"^\d{8}$"),
        ("market", "utf-8", "|", "\n", r"^\d{8}$"),
        ("post", "gb18030", "\t", "\r\n", r"^4\d{4}$"),
    ],
)
def test_each_sector_writes_in_its_layout(
    dirty_home: Path, sector: str, encoding: str, delimiter: str, line_end: str, dates: str
) -> None:
    path = dirty_home / "sftp" / "sector_training" / "202504" / f"{sector}_202504.csv"
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")
    text = raw.decode(encoding)
    assert text.count(line_end) == len(text.splitlines())
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    layout = next(one.layout for one in SECTORS if one.file == sector)
    assert rows
    assert list(rows[0])[: len(layout.csv.fields)] == list(layout.csv.fields.values())
    begun = pl.Series([row[layout.csv.fields["start_date"]] for row in rows])
    assert begun.str.contains(dates).mean() > 0.9
    numbers = [row[layout.csv.fields["enrollment_id"]] for row in rows]
    assert len(set(numbers)) > 0.9 * len(numbers)


def test_headers_of_the_layouts_differ() -> None:
    layouts = {id(one.layout): one.layout.csv.fields for one in SECTORS}
    assert len(layouts) == 4
    first, *others = layouts.values()
    for fields in others:
        assert set(fields) == set(first)
        assert list(fields.values()) != list(first.values())


def test_some_residents_have_old_numbers_and_some_are_known_to_hrss(dirty_home: Path) -> None:
    layout = SECTORS[0].layout.csv
    numbers: list[str] = []
    for path in sorted((dirty_home / "sftp" / "sector_training").glob("*/housing_*.csv")):
        text = path.read_text(layout.encoding)
        numbers += [row[layout.fields["resident_id"]] for row in csv.DictReader(io.StringIO(text))]
    assert 0.05 < sum(len(number) == 15 for number in numbers) / len(numbers) < 0.3
    registered = pl.read_parquet(dirty_home / "gateway" / "hrss.training_enrollments.parquet")["idNumber"]
    assert set(numbers) & set(registered)


def book(home: Path, quarter: str) -> Any:
    return load_workbook(home / "drop" / "organisation" / f"prosperity_workshops_{quarter}.xlsx")


def test_workshops_stand_on_sheets_named_after_counties(dirty_home: Path) -> None:
    workbook = book(dirty_home, "2024Q3")
    names = [sheet.title for sheet in workbook.worksheets]
    assert {"下城区", "江干区", "临安市", "奉化市", "玉环县", "金义新区", "说明", "字典"} <= set(names)
    counties = set(areas.load().names)
    assert counties < set(names)
    assert workbook["字典"].sheet_state == "hidden"
    sheet = workbook["临安市"]
    assert "A1:L1" in [str(found) for found in sheet.merged_cells.ranges]
    assert [cell.value for cell in sheet[2]][:3] == ["序号", "工坊编号", "工坊名称"]
    assert sheet.cell(sheet.max_row, 1).value == "合计"
    later = {sheet.title for sheet in book(dirty_home, "2026Q2").worksheets}
    assert "江干区" not in later
    assert "金义新区" in later


def test_rows_of_a_split_county_are_refused_for_that(dirty_home: Path) -> None:
    sheet = book(dirty_home, "2024Q3")["江干区"]
    there = sheet.max_row - 3
    wrong = bad(dirty_home, "organisation/prosperity_workshops").filter(pl.col("delivery") == "2024Q3")
    split = wrong.filter(pl.col("kind") == "sheet_of_split_county")
    assert len(split) == there > 0
    assert all(list(rules) == ["county_code_valid"] for rules in split["rules"])


def test_numbers_of_workers_are_said_in_three_ways(dirty_home: Path) -> None:
    said = [
        str(row[9])
        for sheet in book(dirty_home, "2026Q2").worksheets[1:-1]
        for row in sheet.iter_rows(min_row=3, max_row=sheet.max_row - 1, values_only=True)
    ]
    found = pl.Series(said)
    for pattern in (r"^\d+$", r"^近\d+$", r"^\d+余$"):
        assert 0.05 < found.str.contains(pattern).mean() < 0.9  # type: ignore[operator]  # a mean of booleans is one


def test_reversals_name_a_payment_of_at_least_their_amount(dirty_home: Path) -> None:
    rows = database.state(dirty_home, "pxbtzj", "finance")
    wrong = bad(dirty_home, "finance/training_subsidies")
    right = rows.filter(~pl.col("zfdh").is_in(wrong["key"].implode()) & pl.col("je").str.contains(r"^-?\d+\.\d\d$"))
    amounts = dict(zip(right["zfdh"], right["je"].cast(pl.Float64), strict=True))
    reversals = right.filter(pl.col("je").str.starts_with("-"))
    assert 0.02 < len(reversals) / len(right) < 0.1
    met = [row for row in reversals.iter_rows(named=True) if row["chdh"] in amounts]
    assert met
    assert all(0 < -float(row["je"]) <= amounts[row["chdh"]] for row in met)
    assert any(-float(row["je"]) < amounts[row["chdh"]] for row in met)


def test_sites_have_swapped_and_missing_coordinates(dirty_home: Path) -> None:
    rows = pl.read_parquet(dirty_home / "gateway" / "hrss.training_sites.parquet").filter(pl.col("_until") == "")
    swapped = rows.filter(pl.col("longitude").str.starts_with("2") | pl.col("longitude").str.starts_with("3"))
    assert len(swapped)
    assert set(swapped["_rules"]) == {""}
    missing = rows.filter((pl.col("longitude") == "") & (pl.col("latitude") == ""))
    assert 0.02 < len(missing) / len(rows) < 0.06
    half = rows.filter((pl.col("longitude") == "") != (pl.col("latitude") == ""))
    assert set(half["_rules"]) == {"coordinates_together"}


def test_sites_stand_at_the_places_of_the_axis_that_the_lists_name(dirty_home: Path) -> None:
    sites = pl.read_parquet(dirty_home / "gateway" / "hrss.training_sites.parquet").filter(pl.col("_rules") == "")
    path = dirty_home / "sftp" / "places" / "places_2025.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    listed = pl.read_csv(path, infer_schema=False).filter(pl.col("发展轴层级").is_in(["01", "02", "03"]))
    located = sites.filter(pl.col("placeCode").str.contains(r"^\d{12}$") & pl.col("openedOn").str.starts_with("2019"))
    assert located["placeCode"].is_in(listed["统计用区划代码"].implode()).mean() > 0.75  # type: ignore[operator]
    # A district has no seat.
    districts = areas.counties().filter(pl.col("division_type") == "district")["county_code"]
    assert not set(listed.filter(pl.col("发展轴层级") == "01")["所属县行政区划代码"]) & set(districts)
