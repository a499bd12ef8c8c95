"""A mistyped status, delivery, rule or batch is an error that names the known ones, never an answer of none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.unit.cli.test_app import run
from threegaps.calendar import CADENCES, EXAMPLES
from threegaps.cli import asked, queries
from threegaps.cli.app import app
from threegaps.errors import LedgerError, ThreeGapsError
from threegaps.ledger import batches
from threegaps.settings import Settings

FEED = "hrss/wage_records"
ASKED: list[dict[str, Any]] = []


@pytest.fixture(autouse=True)
def warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    """A warehouse where one row was refused by a rule, and of a cadence, that the contract has no more."""

    def ask(_: Settings, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        ASKED.append(parameters)
        is_found = query == queries.REFUSED_BY_RULE and parameters["delivery"] in {None, "2019Q4"}
        return [{"feed": FEED, "rule": "rule_of_old"}] if is_found else []

    def ask_some(
        settings: Settings, query: str, parameters: dict[str, Any], *, limit: int
    ) -> tuple[list[dict[str, Any]], int]:
        return ask(settings, query, {**parameters, "limit": limit}), 0

    monkeypatch.setattr(queries, "ask", ask)
    monkeypatch.setattr(queries, "ask_some", ask_some)
    ASKED.clear()


def refused(*arguments: str) -> ThreeGapsError:
    error = CliRunner().invoke(app, arguments).exception
    assert isinstance(error, ThreeGapsError), arguments
    return error


def test_a_status(tmp_path: Path) -> None:
    finished = run(tmp_path, "batches", "--status", "nonsense")
    assert finished.returncode == 1
    assert "error: 'nonsense' is no status of a batch." in finished.stderr
    assert "what to do: one of judging, loaded, stopped, failed, superseded." in finished.stderr
    assert CliRunner().invoke(app, ("batches", "--status", "stopped")).exit_code == 0


def test_a_delivery_of_a_feed() -> None:
    error = refused("quarantine", "show", "--feed", FEED, "--delivery", "2026Q2")
    assert "'2026Q2' is not a delivery of a feed that comes by month" in error.message
    assert "2026-06" in str(error.advice)
    # Rows that were refused before the cadence changed are asked for by the key that they came under.
    assert CliRunner().invoke(app, ("quarantine", "show", "--feed", FEED, "--delivery", "2019Q4")).exit_code == 0


def test_a_delivery_of_any_feed() -> None:
    cadences = {contract.cadence for contract in asked.contracts_of(Settings.load(), None)}
    known = [EXAMPLES[cadence] for cadence in CADENCES if cadence in cadences]
    assert {"2026-06-03", "2026-06", "2026Q2"} <= set(known)
    error = refused("quarantine", "show", "--delivery", "nonsense")
    assert error.advice == f"write it like one of {', '.join(known)}."
    for delivery in known:
        shown = CliRunner().invoke(app, ("quarantine", "show", "--delivery", delivery)).stdout
        assert shown == f"No refused row is open for delivery {delivery}.\n"


def test_a_rule() -> None:
    error = refused("quarantine", "show", "--rule", "nonsense", "--feed", FEED)
    assert (error.message, error.feed) == ("There is no rule 'nonsense' that refuses rows.", FEED)
    known = str(error.advice).removeprefix("one of ").rstrip(".").split(", ")
    assert {"wage_cny_month_range", "key_unique", "rule_of_old"} <= set(known)
    # Rules of other feeds, and those that stop a batch, refuse no row of this one.
    assert not {"certificate_type_code", "batch_columns"} & set(known)
    near = str(refused("quarantine", "show", "--rule", "certificate_type_cod").advice)
    assert near.startswith("did you mean certificate_type_code")
    assert refused("quarantine", "show", "--rule", "nonsense").advice == (
        "`threegaps quarantine rules` lists those that have."
    )


@pytest.mark.parametrize("rule", ["wage_cny_month_range", "rule_of_old"])
def test_a_rule_that_is_known_or_was(rule: str) -> None:
    shown = CliRunner().invoke(app, ("quarantine", "show", "--rule", rule)).stdout
    assert shown == f"No refused row is open for rule {rule}.\n"
    assert ASKED[-1]["rule"] == rule


def test_a_batch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Found:
        feed = FEED

    def get_batch(_: object, number: int) -> type[Found]:
        if number != 41:
            raise LedgerError(f"There is no batch {number}.", advice="see `threegaps batches`.")
        return Found

    monkeypatch.setattr(batches, "get_batch", get_batch)
    monkeypatch.setattr(queries, "connect", lambda _: Connection())
    assert refused("quarantine", "show", "--batch", "999999").message == "There is no batch 999999."
    file = str(tmp_path / "refused.csv")
    assert refused("quarantine", "export", FEED, file, "--batch", "999999").message == "There is no batch 999999."
    shown = CliRunner().invoke(app, ("quarantine", "show", "--batch", "41", "--feed", FEED)).stdout
    assert shown == f"No refused row is open for feed {FEED}, batch 41.\n"
    other = refused("quarantine", "show", "--batch", "41", "--feed", "hrss/certificates")
    assert other.message == f"Batch 41 is one of {FEED}."


class Connection:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def test_what_is_not_asked_is_not_looked_for() -> None:
    settings = Settings.load()
    asked.check_status(None)
    asked.check_delivery(settings, None, None)
    asked.check_rule(settings, None, None)
    asked.check_batch(settings, None, None)
    assert ASKED == []
