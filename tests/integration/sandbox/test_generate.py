"""The written sandbox: the same bytes for the same parameters, and nothing written twice."""

from __future__ import annotations

import gzip
import hashlib
import stat
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

from sandbox.generate import run
from sandbox.parameters import Parameters

SMALL = Parameters(scale=0.00005, dirt=0.1, rows_per_part=1_000)


def digests(home: Path) -> dict[str, str]:
    """SHA-256 of every file whose bytes the seed settles."""
    files = [path for path in sorted(home.rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name != "credentials.json"
    }


@pytest.fixture(scope="module")
def small_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("small")
    assert run(home, SMALL)
    return home


def test_the_same_parameters_write_the_same_bytes(small_home: Path, tmp_path: Path) -> None:
    assert run(tmp_path, SMALL)
    assert digests(small_home) == digests(tmp_path)
    assert not run(tmp_path, SMALL), "a second call must be a no-op"
    assert not run(tmp_path, replace(SMALL, truth=False)), "what has its truth serves who asks for none"
    assert stat.S_IMODE((tmp_path / "credentials.json").stat().st_mode) == 0o600


def test_dirt_does_not_move_the_population(small_home: Path, tmp_path: Path) -> None:
    run(tmp_path, Parameters(scale=0.00005, dirt=0.0))
    assert pl.read_parquet(tmp_path / "truth" / "bad_rows.parquet").is_empty()
    values = [pl.read_parquet(home / "truth" / "indicators.parquet") for home in (tmp_path, small_home)]
    key = ["indicator_code", "area_code", "period_type", "period_end", "breakdown", "breakdown_value"]
    both = values[0].join(values[1], on=key)
    # Refusals only take away, where no other feed has the same course.
    counts = both.filter(pl.col("indicator_code") == "M01-5")
    assert (counts["denominator"] >= counts["denominator_right"]).all()
    assert (counts["denominator"] > counts["denominator_right"]).any()


def test_control_files_count_the_lines_of_the_parts(dirty_home: Path) -> None:
    folder = dirty_home / "sftp" / "wage_records" / "202410"
    said = dict(item.split("=") for item in (folder / "wage_202410.ok").read_text("ascii").split())
    parts = sorted(folder.glob("*part*.csv.gz"))
    lines = [gzip.decompress(path.read_bytes()).decode("gb18030").splitlines() for path in parts]
    assert int(said["parts"]) == len(parts) == 2
    assert int(said["rows"]) == sum(len(found) - 2 for found in lines)
    assert all(found[0].startswith("证件类型,证件号码,") and found[-1].startswith("合计,") for found in lines)


def test_bad_rows_stand_where_the_truth_says(dirty_home: Path) -> None:
    name = "wage_202410_part01of02.csv.gz"
    path = dirty_home / "sftp" / "wage_records" / "202410" / name
    lines = gzip.decompress(path.read_bytes()).decode("gb18030").splitlines()
    bad = pl.read_parquet(dirty_home / "truth" / "bad_rows.parquet").filter(pl.col("source_name") == name)
    wide = bad.filter(pl.col("rules").list.contains("row_shape"))["row_number"].to_list()
    assert wide
    assert wide == [number for number, line in enumerate(lines[1:], 1) if line.count(",") == 15]
    scientific = bad.filter(pl.col("rules").list.contains("resident_id_precision_lost"))["row_number"].to_list()
    assert scientific == [number for number, line in enumerate(lines[1:], 1) if "E+17," in line]


def test_workbook_is_laid_out_and_says_that_it_is_synthetic(dirty_home: Path) -> None:
    sheet = load_workbook(dirty_home / "drop" / "hrss" / "skill_enterprises_2025Q2.xlsx").worksheets[0]
    assert "合成数据" in str(sheet["A2"].value)
    assert [str(found) for found in sheet.merged_cells.ranges if str(found).startswith("B3")] == ["B3:C3"]
    first = [cell.value for cell in sheet["A"]]
    assert first.count("小计") == 11
    assert first.count("合计") == 1


def test_published_figures_are_not_called_synthetic(dirty_home: Path) -> None:
    for path in (dirty_home / "drop" / "statistics").iterdir():
        assert "合成" not in path.read_text("utf-8")
    text = (dirty_home / "drop" / "statistics" / "resident_income_2020Q3.csv").read_text("utf-8")
    assert "全省,330000,20203,40121,4.1,47545,3.3,25505,5.8," in text
    assert "浙东北" in text
    assert "丽水位次" in text
