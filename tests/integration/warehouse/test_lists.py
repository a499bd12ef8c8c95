"""Lists say how many of how many, and what there is none of."""

from __future__ import annotations

import datetime as dt
import json
import sys

import pytest
from typer.testing import CliRunner

from tests.integration.warehouse.conftest import WAGES, Loader
from threegaps.cli import asked
from threegaps.cli.app import app, main
from threegaps.errors import ReleaseError
from threegaps.settings import Settings

pytestmark = pytest.mark.integration


@pytest.fixture
def commands(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Commands over a warehouse with three batches, each with two refused rows."""
    for month in ("2026-04", "2026-05", "2026-06"):
        row = {"employer": "A", "wage_month": dt.date(2026, int(month[-2:]), 1), "county": "330102", "wage": "1"}
        loader.load(WAGES, month, [row], refused=2)
    loader.connection.commit()
    dsn = loader.connection.info.dsn
    password = loader.connection.info.password
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda self: f"{dsn} password={password}")
    monkeypatch.setattr(asked, "contracts_of", lambda settings, feed: ())
    return CliRunner()


def told(runner: CliRunner, *arguments: str) -> tuple[str, str]:
    """What a command answers, and what it says beside it."""
    answered = runner.invoke(app, list(arguments), env={"COLUMNS": "200"})
    assert answered.exit_code == 0, answered.output
    return answered.stdout, answered.stderr


def test_a_list_says_how_many_of_how_many_and_how_to_see_the_rest(commands: CliRunner) -> None:
    out, _ = told(commands, "batches", "--limit", "2")
    assert "2 of 3 are shown: `--limit 3` shows all." in out
    out, _ = told(commands, "batches", "--limit", "3")
    assert "are shown" not in out
    out, _ = told(commands, "quarantine", "show", "--limit", "1")
    assert "1 of 6 are shown: `--limit 6` shows all." in out


def test_a_machine_is_given_a_list_and_the_line_beside_it(commands: CliRunner) -> None:
    for arguments, total in ((("batches",), 3), (("quarantine", "show"), 6)):
        out, beside = told(commands, *arguments, "--limit", "2", "--json")
        assert len(json.loads(out)) == 2
        assert f"2 of {total} are shown: `--limit {total}` shows all." in beside


def test_before_there_is_a_release_nothing_is_a_traceback(commands: CliRunner) -> None:
    for arguments in (
        ("explain", "工资", "杭州", "latest"),
        ("release", "diff", "1"),
        ("release", "diff", "1", "--area", "余杭"),
        ("release", "show"),
        ("areas",),
        ("areas", "余杭"),
        ("catalogue",),
        ("catalogue", "工资"),
        ("catalogue", "--revisions"),
        ("catalogue", "--arrival", "--json"),
    ):
        refused = commands.invoke(app, list(arguments)).exception
        assert isinstance(refused, ReleaseError), arguments
        assert refused.message == "There is no release yet.", arguments
        assert "threegaps up --run" in str(refused.advice), arguments


def test_bytes_that_are_no_text_are_said_to_be(
    commands: CliRunner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["threegaps", "quarantine", "show", "--rule", "\udcff\udcfe"])
    monkeypatch.setattr(asked, "check_rule", lambda settings, rule, feed: None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("error: Something that was given is no text in UTF-8.")


def test_none_says_of_what(commands: CliRunner) -> None:
    for arguments, said in (
        (("batches", "--status", "failed"), "There is no batch with the status failed."),
        (("batches", "--feed", "a/b"), "There is no batch of a/b yet."),
        (("batches", "--feed", "a/b", "--status", "failed"), "There is no batch of a/b with the status failed."),
        (("quarantine", "show", "--feed", "a/b"), "No refused row is open for feed a/b."),
        (("quarantine", "rules", "--feed", "a/b"), "No refused row of a/b is open."),
        (("batches", "show", "1", "--structural"), "Every line of batch 1 is a row."),
        (("release", "list"), "There is no release yet"),
    ):
        out, _ = told(commands, *arguments)
        assert said in " ".join(out.split()), arguments
        assert "none" not in out
