"""The command line: light to start, every command with --json, one clear message for an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from threegaps.cli import display, output
from threegaps.cli.app import app
from threegaps.landing.store import LandingStore
from threegaps.orchestration.first_run import FeedProgress, Progress
from threegaps.settings import Settings

COMMANDS = {
    "up",
    "down",
    "status",
    "feeds",
    "batches",
    "quarantine",
    "build",
    "release",
    "explain",
    "backfill",
    "judge-again",
    "doctor",
    "catalogue",
    "migrate",
    "reader",
}


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "THREEGAPS"))}
    return subprocess.run(
        [sys.executable, "-m", "threegaps.cli.app", *arguments],
        env=environment
        | {"THREEGAPS_HOME": str(home), "PYTHONPATH": str(Settings.load().root / "plugins"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def leaves(command: Any, name: str = "") -> list[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if not children:
        return [(name, command)]
    return [leaf for child, one in children.items() for leaf in leaves(one, f"{name} {child}".strip())]


def test_every_promised_command_is_there_and_answers_in_json() -> None:
    command = typer.main.get_command(app)
    assert set(command.commands) >= COMMANDS  # type: ignore[attr-defined]
    for name, leaf in leaves(command):
        assert leaf.help, name
        assert any("--json" in option.opts for option in leaf.params), name


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, threegaps.cli.app; print(sorted({name.split('.')[0] for name in sys.modules}))"
    finished = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(Settings.load().root / "plugins")},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(finished.stdout.replace("'", '"')))
    assert "typer" in loaded
    assert not loaded & {"airflow", "polars", "pandas", "great_expectations", "dbt", "psycopg", "sqlalchemy"}


def test_an_error_is_one_message_with_advice(tmp_path: Path) -> None:
    finished = run(tmp_path, "batches")
    assert finished.returncode == 1
    assert "error: The warehouse has no address." in finished.stderr
    assert "what to do: run `threegaps up`" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_an_error_in_json(tmp_path: Path) -> None:
    finished = run(tmp_path, "feeds", "--json")
    assert finished.returncode == 1
    assert json.loads(finished.stdout)["error"] == "The warehouse has no address."


def test_a_contract_is_shown_as_written_and_in_full(tmp_path: Path) -> None:
    written = yaml.load(run(tmp_path, "feeds", "show", "hrss/wage_records").stdout, yaml.CSafeLoader)
    full = yaml.load(run(tmp_path, "feeds", "show", "hrss/wage_records", "--expanded").stdout, yaml.CSafeLoader)
    assert len(written["schema"]) == 1
    assert len(full["schema"]) == 4
    assert json.loads(run(tmp_path, "feeds", "show", "hrss/wage_records", "--expanded", "--json").stdout) == full
    raw = yaml.load(run(tmp_path, "feeds", "show", "hrss/wage_records", "--in-warehouse").stdout, yaml.CSafeLoader)
    assert [column["name"] for column in raw["schema"][0]["properties"]][1] == "person_id"
    both = run(tmp_path, "feeds", "show", "hrss/wage_records", "--in-warehouse", "--expanded")
    assert "two forms" in both.stderr
    assert "There is no contract for this feed" in run(tmp_path, "feeds", "show", "hrss/wages").stderr


def test_a_wrong_delivery_is_explained(tmp_path: Path) -> None:
    finished = run(tmp_path, "backfill", "hrss/wage_records", "2026Q1", "2026Q2")
    assert finished.returncode == 1
    assert "'2026Q1' is not a delivery of a feed that comes by month" in finished.stderr


@pytest.mark.parametrize("key", ["9999-12", "0001-01", "2022-12"])
def test_a_delivery_that_there_cannot_be_is_not_run(key: str, tmp_path: Path) -> None:
    finished = run(tmp_path, "backfill", "hrss/wage_records", key, key)
    assert finished.returncode == 1
    said = "the first delivery of hrss/wage_records, 2023-01" if key == "2022-12" else "outside the years 1990 to 2100"
    assert said in finished.stderr
    assert "what to do: " in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("batches", "--limit", "0"),
        ("batches", "--limit", "1000001"),
        ("release", "list", "--limit", "-1"),
        ("release", "diff", "0"),
        ("release", "diff", "1", "2147483648"),
        ("up", "--scale", "0"),
        ("up", "--scale", "1.5"),
        ("up", "--scale", "nan"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused_before_anything_is_done(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "load", lambda: pytest.fail("began its work"))
    answered = CliRunner().invoke(app, arguments)
    assert answered.exit_code == 2
    assert "Invalid value for" in answered.output


def test_a_build_from_no_day_is_explained(tmp_path: Path) -> None:
    finished = run(tmp_path, "build", "--as-of", "yesterday")
    assert finished.returncode == 1
    assert "error: 'yesterday' is no day." in finished.stderr
    assert "what to do: give --as-of like 2026-06-30." in finished.stderr


def test_nothing_to_stop_is_no_error(tmp_path: Path) -> None:
    assert json.loads(run(tmp_path, "down", "--json").stdout) == {"stopped": False}


def test_doctor_names_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{}", encoding="utf-8")
    (tmp_path / "secrets.json").chmod(0o644)
    finished = run(tmp_path, "doctor", "--json")
    assert finished.returncode == 1
    found = {check["name"]: check for check in json.loads(finished.stdout)}
    assert found["secrets"]["state"] == "wrong"
    assert found["secrets"]["advice"].startswith("chmod 600")
    assert found["services"]["state"] == "warning"
    assert found["contracts"]["state"] == "ok"
    assert found["postgresql"]["state"] == "ok"


def test_doctor_refuses_a_local_landing_with_celery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from threegaps.cli.doctor import examine

    monkeypatch.setattr(LandingStore, "try_writing", lambda _: None)  # there is no object store

    def landing(**variables: str) -> str:
        settings = Settings.load(
            {"THREEGAPS_HOME": str(tmp_path), "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor", **variables}
        )
        return next(check["state"] for check in examine(settings) if check["name"] == "landing")

    assert landing() == "wrong"
    assert landing(THREEGAPS_LANDING_URI=str(tmp_path / "landing")) == "wrong"
    assert landing(THREEGAPS_LANDING_SHARED="1") == "ok"
    assert landing(THREEGAPS_LANDING_URI="s3://landing") == "ok"


def test_progress_is_told_line_by_line_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    screen = display.Screen()
    row = FeedProgress("hrss/wage_records", "职工缴费工资", "2026-06", state="running", task="load")
    with screen.shown():
        screen.services({"steps": [{"name": "postgres", "title": "PostgreSQL", "state": "done", "seconds": 1.5}]})
        screen.progress(Progress(feeds=[row], message="feeds catch up"))
        row.batches, row.received = 3, 1000
        screen.progress(Progress(feeds=[row], message="feeds catch up"))
        row.state = "success"
        screen.progress(Progress(feeds=[row], message="feeds catch up"))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("] ")[1].strip() for line in lines] == [
        "✓ PostgreSQL 1.5 s",
        "feeds catch up",
        "hrss/wage_records up to 2026-06: running load",
        "hrss/wage_records up to 2026-06: success 3 batches, 1,000 received, 0 refused load",
    ]


def test_a_long_silence_is_broken_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    screen = display.Screen(quiet_seconds=0.05)
    row = FeedProgress("hrss/wage_records", "职工缴费工资", "2026-06", state="running", task="load")

    def still() -> str:
        said, until = capsys.readouterr().out[:0], time.monotonic() + 20
        while "still: " not in said and time.monotonic() < until:
            time.sleep(0.01)
            said += capsys.readouterr().out
        return said.rpartition("still: ")[2].strip()

    with screen.shown():
        assert still() == "starting"
        screen.services({"steps": [{"name": "sandbox", "title": "the departments", "state": "running"}]})
        assert still() == "the departments"
        row.batches, row.received = 2, 1000
        screen.progress(Progress(feeds=[row], message="feeds catch up"))
        assert still() == "hrss/wage_records 2 batches, 1,000 received, 0 refused load"
        row.state = "success"
        screen.progress(Progress(feeds=[row], message="building", marts_state="running", marts_task="build"))
        assert still() == "marts build"
    capsys.readouterr()
    time.sleep(0.2)
    assert capsys.readouterr().out == ""


def test_lines_come_no_oftener_than_they_should(capsys: pytest.CaptureFixture[str]) -> None:
    with display.Screen(quiet_seconds=30).shown():
        time.sleep(0.2)
    assert capsys.readouterr().out == ""


def test_a_silent_screen_stays_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with display.Screen(is_silent=True, quiet_seconds=0.01).shown():
        time.sleep(0.1)
    assert capsys.readouterr().out == ""


def test_values_are_plain_in_json() -> None:
    import datetime as dt
    from decimal import Decimal

    assert output.plain({"a": Decimal("1.50"), "b": Decimal(2), "c": dt.date(2026, 6, 30), "d": (1, None)}) == {
        "a": 1.5,
        "b": 2,
        "c": "2026-06-30",
        "d": [1, None],
    }
