"""The command `check`: as a department's official runs it, without anything of the pipeline."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from tests.integration.faults.small_feeds import wage_part, wage_rows
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
    assert done.exit_code == 3, done.output
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
    assert run(*paths, "--feed", AGREEMENTS, "--report", report).exit_code == 3
    assert openpyxl.load_workbook(report).sheetnames == ["退回数据", "说明"]
    again = run(*paths, "--feed", AGREEMENTS, "--report", report)
    assert isinstance(again.exception, ThreeGapsError)
    assert run(*paths, "--feed", AGREEMENTS, "--report", report, "--force").exit_code == 3


def test_files_that_cannot_be_read_are_all_named_and_the_others_judged(tmp_path: Path) -> None:
    """Cut off, of another name, of another kind: one finding each, in one go."""
    first, second = sent(WAGES, tmp_path)
    first.write_bytes(first.read_bytes()[:40])
    stranger = tmp_path / "wage_202606_final_final.csv.gz"
    stranger.write_bytes(b"PK\x03\x04 no archive")
    done = run(first, second, stranger, "--feed", WAGES, "--delivery", "2026-06", "--json")
    assert done.exit_code == 4
    said = json.loads(done.output)
    assert {(one["code"], one["file"]) for one in said["findings"] if one["file"]} == {
        ("F01", first.name),
        ("F06", stranger.name),
        ("F01", stranger.name),
    }
    # In Chinese where it says so.
    assert all(re.search("[一-鿿]", one["message_zh"] + (one["advice_zh"] or "")) for one in said["findings"])
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
    assert run(*paths, "--contract", contract).exit_code == 3
    assert isinstance(run(*paths, "--contract", contract, "--feed", WAGES).exception, ThreeGapsError)


@pytest.mark.parametrize(
    ("names", "announced", "waits"),
    [
        ((0,), None, ["the control file", "parts part0002"]),
        ((0, 1), None, ["the control file"]),
        ((0, 1), 2, []),
        ((1,), 2, ["parts part0001"]),
    ],
)
def test_what_is_not_among_the_files_is_waited_for(
    names: tuple[int, ...], announced: int | None, waits: list[str], tmp_path: Path
) -> None:
    parts = sent(WAGES, tmp_path)
    given = [parts[number] for number in names]
    if announced is not None:
        control = tmp_path / "wage_202606.ok"
        control.write_text(f"parts={announced} rows=7\n", encoding="ascii")
        given.append(control)
    said = json.loads(run(*given, "--feed", WAGES, "--json").output)
    found = [one["message_en"] for one in said["findings"] if one["code"] == "F07"]
    assert found == [f"The delivery waits for {what}." for what in waits]
    assert all(one["action"] == "wait" for one in said["findings"] if one["code"] == "F07")


def test_a_control_file_alone_is_not_all_in_order(tmp_path: Path) -> None:
    control = tmp_path / "wage_202606.ok"
    control.write_text("parts=1 rows=7\n", encoding="ascii")
    assert run(control, "--feed", WAGES).exit_code == 4


def test_no_row_is_said_and_not_taken_for_all(tmp_path: Path) -> None:
    paths = written(tmp_path, {"wage_202606_part01of01.csv.gz": wage_part([])})
    done = run(*paths, "--feed", WAGES)
    assert done.exit_code == 3
    assert "F08" in done.output
    assert "there is no row" in done.output
    assert "all rows" not in done.output


def test_rows_of_another_month_are_said_by_the_rule_s_code(tmp_path: Path) -> None:
    paths = written(tmp_path, {"wage_202606_part01of01.csv.gz": wage_part(wage_rows(5, month="202605"))})
    done = run(*paths, "--feed", WAGES)
    assert done.exit_code == 4
    assert "B05" in done.output
    assert "nothing would be loaded" in done.output


def test_what_is_checked_is_not_written_over(tmp_path: Path) -> None:
    (path,) = sent(AGREEMENTS, tmp_path)
    before = path.read_bytes()
    for target in (path, tmp_path / "link.xlsx"):
        if target != path:
            target.symlink_to(path)
        done = run(path, "--feed", AGREEMENTS, "--report", target, "--force")
        assert isinstance(done.exception, ThreeGapsError)
    assert path.read_bytes() == before


def test_only_files_that_end_are_read(tmp_path: Path) -> None:
    fifo = tmp_path / "collective_agreements_2026Q2.xlsx"
    os.mkfifo(fifo)
    assert isinstance(run(fifo, "--feed", AGREEMENTS).exception, ThreeGapsError)


def test_a_report_of_what_somebody_sends_is_not_called_synthetic(tmp_path: Path) -> None:
    report = tmp_path / "report.xlsx"
    run(*sent(AGREEMENTS, tmp_path), "--feed", AGREEMENTS, "--report", report)
    summary = openpyxl.load_workbook(report)["说明"]
    assert "合成" not in "".join(str(cell.value) for line in summary.iter_rows() for cell in line)


def name_of(requirement: str) -> str:
    """The distribution that a requirement names."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def needed(requirements: list[str]) -> set[str]:
    """The modules of distributions and of what these need themselves, as they are installed."""
    found: set[str] = set()
    waiting = list(map(name_of, requirements))
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # of another system
        found.add(name)
        waiting += [name_of(one) for one in requires if "extra ==" not in one]
    modules = importlib.metadata.packages_distributions()
    return {module for module, owners in modules.items() if set(map(name_of, owners)) & found}


# What is not among the modules that may be imported is not there.
ALONE = """
import sys
ALLOWED = set(sys.stdlib_module_names) | {"threegaps", "sitecustomize"} | set(sys.argv.pop(1).split(","))
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
    wanted = (Settings.load().root / "requirements-check.in").read_text(encoding="utf-8").splitlines()
    allowed = needed([line for line in wanted if line and not line.startswith("#")])
    assert {"polars", "openpyxl"} <= allowed
    assert not {"airflow", "dbt", "psycopg"} & allowed
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "THREEGAPS"))}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            ALONE,
            ",".join(sorted(allowed)),
            "check",
            *paths,
            "--contract",
            contract,
            "--report",
            report,
            "--json",
        ],
        env=environment | {"PYTHONPATH": str(Settings.load().root / "plugins"), "THREEGAPS_ROOT": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr[-3000:]
    assert json.loads(done.stdout)["feed"] == feed
    assert report.is_file()
