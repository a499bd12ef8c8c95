"""`make contract-test`: what the Data Contract CLI is handed, and what becomes of its answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from threegaps.cli import contract_test

FEED = "statistics/resident_income"


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the tool, and for the Python beside it which lints, that note how they are called.

    They find a fault where a file named `wrong` says which command.
    """
    tool, noted, wrong = tmp_path / "datacontract", tmp_path / "calls", tmp_path / "wrong"
    variables = "host=$DATACONTRACT_POSTGRES_HOST password=$DATACONTRACT_POSTGRES_PASSWORD"
    tool.write_text(
        "#!/bin/sh\n"
        f'echo "$* | {variables}" >> {noted}\n'
        f'if [ -f {wrong} ] && [ "$(cat {wrong})" = "$1" ]; then echo "what is wrong"; exit 1; fi\n',
        encoding="utf-8",
    )
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\n"
        "shift 2\n"
        'for path in "$@"; do\n'
        f'  echo "lint $path | {variables}" >> {noted}\n'
        f'  if [ -f {wrong} ] && [ "$(cat {wrong})" = lint ]; then echo \'VERDICT [false, "what is wrong"]\'\n'
        "  else echo 'VERDICT [true, \"\"]'; fi\n"
        "done\n",
        encoding="utf-8",
    )
    for program in (tool, python):
        program.chmod(0o700)
    monkeypatch.setenv("THREEGAPS_DATACONTRACT", str(tool))
    monkeypatch.setenv("THREEGAPS_HOME", str(tmp_path / "home"))
    for name, value in {"HOST": "127.0.0.1", "PORT": "5432", "USER": "pipeline", "PASSWORD": "a secret"}.items():
        monkeypatch.setenv(f"THREEGAPS_WAREHOUSE_{name}", value)
    monkeypatch.setenv("DATACONTRACT_POSTGRES_HOST", "of somebody else")
    return noted


def test_the_warehouse_is_named_by_variables_alone(calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert contract_test.main([FEED]) == 0
    lines = calls.read_text(encoding="utf-8").splitlines()
    assert [line.split()[0] for line in lines] == ["lint", "lint", "lint", "test"]
    assert [line.split(" | ")[1] for line in lines] == ["host= password="] * 3 + ["host=127.0.0.1 password=a secret"]
    assert "a secret" not in lines[-1].split(" | ")[0]
    said = capsys.readouterr().out
    assert said.count(": right\n") == 4
    assert "a secret" not in said


def test_without_a_warehouse_contracts_are_linted(calls: Path) -> None:
    assert contract_test.main(["--lint", FEED, "hrss/wage_records"]) == 0
    assert calls.read_text(encoding="utf-8").count("lint ") == 6


@pytest.mark.parametrize("command", ["lint", "test"])
def test_a_fault_is_said_and_counts(calls: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    (calls.parent / "wrong").write_text(command, encoding="utf-8")
    assert contract_test.main([FEED]) == 1
    said = capsys.readouterr().out
    assert "WRONG\nwhat is wrong" in said


def test_a_missing_tool_and_an_unknown_feed_are_explained(
    calls: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert contract_test.main(["statistics/none"]) == 1
    assert "no contract" in capsys.readouterr().err
    monkeypatch.setenv("THREEGAPS_DATACONTRACT", str(calls.parent / "nothing"))
    assert contract_test.main([FEED]) == 1
    assert "make contract-test" in capsys.readouterr().err
    monkeypatch.setenv("THREEGAPS_DATACONTRACT", str(calls.parent / "datacontract"))
    (calls.parent / "python").unlink()
    assert contract_test.main([FEED]) == 1
    assert "THREEGAPS_DATACONTRACT" in capsys.readouterr().err
    assert not calls.exists()
