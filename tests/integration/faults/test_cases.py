"""Cases from the field, landed and loaded as the departments would send them; see tests/fixtures/cases/README.md."""

from __future__ import annotations

import json
import os
import shutil
import time
import types
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from tests.integration.faults.conftest import Clean
from tests.integration.faults.small_feeds import (
    CONTROL,
    ENTERPRISE_FILE,
    ENTERPRISES,
    MONTH,
    PART,
    WAGES,
    WageFolder,
    content,
    refusals,
    row_count,
    statuses,
)
from threegaps import feed_run
from threegaps.cli.app import app
from threegaps.errors import StillBeingWrittenError
from threegaps.feed_run import landing
from threegaps.sources.quiet import Looks

pytestmark = pytest.mark.integration

CASES = Path(__file__).parents[2] / "fixtures" / "cases"
QUARTER = "2024Q3"
INCOMES = "statistics/resident_income"
SECONDS_LEFT = Looks.seconds_left


def load(drop: Path, case: str, quarter: str = QUARTER) -> None:
    name = ENTERPRISE_FILE.replace(QUARTER, quarter)
    shutil.copyfile(CASES / case / name, drop / "hrss" / name)
    feed_run.land(ENTERPRISES, quarter)
    feed_run.load(ENTERPRISES, quarter)


def enterprises(warehouse: str) -> list[tuple[object, ...]]:
    with psycopg.connect(warehouse) as connection:
        return connection.execute(
            "select county_code, recognised_on::text, revoked_on::text, employees from raw.hrss_skill_enterprises"
            " where not _withdrawn order by employees"
        ).fetchall()


@pytest.mark.parametrize(
    "case",
    ["01-xlsx-1904-cjk-date", "02-xlsx-strict-ooxml", "05-xlsx-odd-styles-family34", "24-xlsx-hidden-first-sheet"],
)
def test_a_workbook_of_another_kind_is_read_as_it_is_meant(case: str, drop: Path, warehouse: str) -> None:
    load(drop, case)
    assert enterprises(warehouse) == [("330106", "2024-05-20", None, 100 + number) for number in range(4)]
    assert refusals(warehouse) == {}
    assert statuses(warehouse) == ["loaded"]


def test_rows_under_a_merge_are_refused_with_the_merge(drop: Path, warehouse: str) -> None:
    load(drop, "04-xlsx-merged-data-cells")
    assert [row[3] for row in enterprises(warehouse)] == [100, 102, 104, 105]
    assert refusals(warehouse) == {2: {"row_readable"}, 4: {"row_readable"}}
    with psycopg.connect(warehouse) as connection:
        rows = connection.execute(
            "select row_number, reason ->> 'column', reason ->> 'message_zh' from quarantine.refused_row,"
            " jsonb_array_elements(reasons) as reason order by 1, 2"
        ).fetchall()
    assert [(number, column) for number, column, _ in rows] == [
        (2, "city_name"),
        (2, "county_code"),
        (2, "county_name"),
        (4, "revoked_on"),
    ]
    assert [text[text.index("(第") :] for _, _, text in rows][1::2] == ["(第1张工作表F5:F6)", "(第1张工作表J7:J8)"]


def test_a_formula_without_a_value_is_not_empty(drop: Path, warehouse: str) -> None:
    load(drop, "06-xlsx-formula-without-cache")
    assert refusals(warehouse) == {number: {"row_readable"} for number in (1, 2, 3)}
    assert [row[3] for row in enterprises(warehouse)] == [103]


def test_a_roster_that_comes_on_two_sheets_loses_none(drop: Path, warehouse: str) -> None:
    load(drop, "22-xlsx-roster-in-two-sheets")
    before = enterprises(warehouse)
    load(drop, "22-xlsx-roster-in-two-sheets", "2024Q4")
    assert enterprises(warehouse) == before
    assert len(before) == 30
    with psycopg.connect(warehouse) as connection:
        counts = connection.execute(
            "select received, structural, withdrawn from ops.batch order by batch_id"
        ).fetchall()
    assert counts == [(30, 5, 0), (30, 10, 0)]


def test_lines_that_are_no_rows_can_be_looked_at(drop: Path, warehouse: str) -> None:
    load(drop, "22-xlsx-roster-in-two-sheets", "2024Q4")
    with psycopg.connect(warehouse) as connection:
        (batch,) = connection.execute("select batch_id from ops.batch").fetchall()
    answer = CliRunner().invoke(app, ["batches", "show", str(batch[0]), "--structural", "--json"])
    assert answer.exit_code == 0, answer.output
    found = [(one["sheet"], one["line"], one["reason"]) for one in json.loads(answer.output)]
    head = [(1, "title"), (2, "title"), (3, "header"), (4, "header")]
    assert found == [(1, *one) for one in [*head, (23, "total")]] + [(2, *one) for one in [*head, (17, "total")]]


def test_the_end_mark_behind_the_last_line_is_no_row(wages: WageFolder, warehouse: str, clean: Clean) -> None:
    shutil.copyfile(CASES / "17-csv-dos-eof-mark" / "wage.csv.gz", wages.folder / PART.format(1, 1))
    (wages.folder / CONTROL).write_text("parts=1 rows=60\n", encoding="ascii")
    feed_run.land(WAGES, MONTH)
    feed_run.load(WAGES, MONTH)
    assert content(warehouse, WAGES) == clean[WAGES]
    assert refusals(warehouse) == {}
    with psycopg.connect(warehouse) as connection:
        counts = connection.execute(
            "select physical_lines, structural, received, is_complete from ops.batch"
        ).fetchall()
    assert counts == [(62, 2, 60, True)]
    assert row_count(warehouse, WAGES) == 60


def test_a_file_that_is_still_being_copied_is_taken_once_it_is_whole(
    drop: Path, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, file = CASES / "25-csv-still-being-copied", drop / "statistics" / "resident_income_2020Q3.csv"
    monkeypatch.setattr(Looks, "seconds_left", SECONDS_LEFT)
    waits: list[float] = []
    monkeypatch.setattr(landing, "time", types.SimpleNamespace(sleep=waits.append))
    shutil.copyfile(case / f"{file.name}.half", file)
    with pytest.raises(StillBeingWrittenError):
        feed_run.land(INCOMES, "2020Q3")
    assert feed_run.load(INCOMES, "2020Q3") == []
    assert len(waits) == 2
    assert all(0 < wait < 61 for wait in waits)
    shutil.copyfile(case / file.name, file)
    os.utime(file, (time.time() - 60, time.time() - 60))
    feed_run.land(INCOMES, "2020Q3")
    feed_run.load(INCOMES, "2020Q3")
    with psycopg.connect(warehouse) as connection:
        row = connection.execute("select received, structural, refused, is_complete from ops.batch").fetchone()
    assert row == (3, 3, 1, True)
