"""The command `check`: as a department's official runs it, without anything of the pipeline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from tests.unit.feeds.feed_fixture import load_fixture
from tests.unit.file_check.test_checking import CONTRACTS, written
from threegaps.cli.app import app
from threegaps.errors import ThreeGapsError
from threegaps.settings import Settings

AGREEMENTS = "union/collective_agreements"
WAGES = "hrss/wage_records"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["--lang", "en", "check", *map(str, arguments)])


def sent(feed: str, folder: Path) -> list[Path]:
    return written(folder, dict(load_fixture(CONTRACTS[feed]).files))


def test_the_delivery_is_read_from_the_names(tmp_path: Path) -> None:
    done = run(*sent(WAGES, tmp_path), "--feed", WAGES, "--json")
    assert done.exit_code == 1, done.output
    said = json.loads(done.output)
    assert (said["feed"], said["delivery"], said["outcome"]) == (WAGES, "2026-06", "rows_refused")
    fixture = load_fixture(CONTRACTS[WAGES])
    assert {name: said["counts"][name] for name in fixture.counts} == fixture.counts
    by_rule = {(one["code"], one["rule"]): one for one in said["findings"]}
    assert by_rule["R20", "wage_unit_slip"]["places"] == [
        {"file": "wage_202606_part01of02.csv.gz", "row_number": 3, "line": 4, "sheet": None}
    ]


def test_no_received_value_is_said(tmp_path: Path) -> None:
    paths = sent(AGREEMENTS, tmp_path)
    sheet = openpyxl.load_workbook(paths[0]).active
    received = {str(cell) for line in sheet.iter_rows(values_only=True) for cell in line if len(str(cell or "")) > 7}
    received -= {column.source_name for column in CONTRACTS[AGREEMENTS].sent_columns}
    assert len(received) > 10
    for form in ((), ("--json",)):
        said = run(*paths, "--feed", AGREEMENTS, *form).output
        assert not [value for value in received if value in said]


def test_the_report_is_written_once(tmp_path: Path) -> None:
    paths = sent(AGREEMENTS, tmp_path)
    report = tmp_path / "report.xlsx"
    assert run(*paths, "--feed", AGREEMENTS, "--report", report).exit_code == 1
    assert openpyxl.load_workbook(report).sheetnames == ["退回数据", "说明"]
    again = run(*paths, "--feed", AGREEMENTS, "--report", report)
    assert isinstance(again.exception, ThreeGapsError)
    assert run(*paths, "--feed", AGREEMENTS, "--report", report, "--force").exit_code == 1


def test_files_that_cannot_be_read_are_all_named_and_the_others_judged(tmp_path: Path) -> None:
    """Cut off, of another name, of another kind: one finding each, in one go."""
    first, second = sent(WAGES, tmp_path)
    first.write_bytes(first.read_bytes()[:40])
    stranger = tmp_path / "wage_202606_final_final.csv.gz"
    stranger.write_bytes(b"PK\x03\x04 no archive")
    done = run(first, second, stranger, "--feed", WAGES, "--delivery", "2026-06", "--json")
    assert done.exit_code == 2
    said = json.loads(done.output)
    assert {(one["code"], one["file"]) for one in said["findings"] if one["file"]} == {
        ("F01", first.name),
        ("F06", stranger.name),
        ("F01", stranger.name),
    }
    assert said["counts"]["received"] > 0
    assert {one["rule"] for one in said["findings"] if not one["file"]} >= {"row_shape"}


def test_a_name_of_no_delivery_asks_for_one(tmp_path: Path) -> None:
    first, second = sent(WAGES, tmp_path)
    other = first.rename(tmp_path / first.name.replace("202606", "202605"))
    done = run(other, second, "--feed", WAGES)
    assert isinstance(done.exception, ThreeGapsError)
    assert "--delivery" in str(done.exception)


def test_of_which_feed_must_be_said(tmp_path: Path) -> None:
    paths = sent(AGREEMENTS, tmp_path)
    assert isinstance(run(*paths).exception, ThreeGapsError)
    contract = Settings.load().contracts_folder / f"{AGREEMENTS}.odcs.yaml"
    assert run(*paths, "--contract", contract).exit_code == 1
    assert isinstance(run(*paths, "--contract", contract, "--feed", WAGES).exception, ThreeGapsError)


# What may be imported: requirements-check.in, and what these need themselves.
ALONE = """
import sys
ALLOWED = set(sys.stdlib_module_names) | {
    "threegaps", "typer", "click", "rich", "markdown_it", "mdurl", "pygments", "shellingham", "annotated_doc",
    "pydantic", "pydantic_core", "pydantic_settings", "annotated_types", "typing_extensions", "typing_inspection",
    "yaml", "_yaml", "numpy", "polars", "polars_runtime_32", "openpyxl", "et_xmlfile", "tzdata", "sitecustomize",
    "usercustomize", "_polars_runtime_32", "cython_runtime", "_cython_3_2_4",
}
class Alone:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top not in ALLOWED and not top.startswith("_"):
            raise ModuleNotFoundError(f"{name} is not installed here", name=name)
        return None
sys.meta_path.insert(0, Alone())
from threegaps.cli.app import main
main()
"""


@pytest.mark.parametrize("feed", [AGREEMENTS, WAGES])
def test_nothing_else_needs_to_be_installed(feed: str, tmp_path: Path) -> None:
    paths = sent(feed, tmp_path)
    contract = Settings.load().contracts_folder / f"{feed}.odcs.yaml"
    report = tmp_path / "report.xlsx"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "THREEGAPS"))}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, "check", *paths, "--contract", contract, "--report", report, "--json"],
        env=environment | {"PYTHONPATH": str(Settings.load().root / "plugins"), "THREEGAPS_ROOT": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr[-3000:]
    assert json.loads(done.stdout)["feed"] == feed
    assert report.is_file()
