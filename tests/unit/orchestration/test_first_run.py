"""The first run outlasts a silence of Airflow or the warehouse, and leaves nothing paused when it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from threegaps.airflow_api import UnansweredError
from threegaps.contracts.loader import load_contracts
from threegaps.errors import ServiceError
from threegaps.home import account
from threegaps.orchestration import first_run
from threegaps.orchestration.first_run import Progress, run_to_release
from threegaps.orchestration.names import MARTS_DAG, RELEASED_DAG, RETENTION_DAG, UPKEEP_DAG
from threegaps.settings import Settings

CONTRACTS = load_contracts(Settings.load().contracts_folder)[:2]
SILENT = UnansweredError("Airflow does not answer.")


class Api:
    """An Airflow in which every run ends well; at its questions it does what a test says."""

    def __init__(self) -> None:
        self.paused = dict.fromkeys((MARTS_DAG, RELEASED_DAG, UPKEEP_DAG, RETENTION_DAG), True)
        self.before: Callable[[str], None] = lambda _: None
        self.triggered: list[str] = []
        self.end = "success"
        self.paused_at_marts: dict[str, bool] = {}

    def set_paused(self, dag_id: str, *, is_paused: bool) -> None:
        self.before("set_paused")
        self.paused[dag_id] = is_paused

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        self.before("runs")
        return []

    def trigger(self, dag_id: str, *, partition_key: str | None = None) -> dict[str, Any]:
        self.triggered.append(dag_id)
        if dag_id == MARTS_DAG:
            self.paused_at_marts = dict(self.paused)
        return {"dag_run_id": "run"}

    def under_way(self, dag_ids: set[str]) -> dict[Any, Any]:
        self.before("under_way")
        return {}

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        self.before("run")
        return {"state": self.end}

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str]:
        return {}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(first_run.AirflowApi, "of", lambda _: made)
    monkeypatch.setattr(first_run, "configure", lambda *_: CONTRACTS)
    monkeypatch.setattr(first_run, "_count", lambda *_: None)
    monkeypatch.setattr(first_run, "_reason_of_feed", lambda *_: "")
    monkeypatch.setattr(first_run, "has_pending", lambda _: True)
    monkeypatch.setattr(first_run, "current_release", lambda _: 1)
    monkeypatch.setattr(first_run, "_POLL_SECONDS", 0.0)
    monkeypatch.setattr(account, "is_running", lambda _: True)
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load({"THREEGAPS_HOME": str(tmp_path), "THREEGAPS_SANDBOX": "1"})


def silent_once_each() -> Callable[[str], None]:
    seen: set[str] = set()

    def before(question: str) -> None:
        if question not in seen:
            seen.add(question)
            raise SILENT

    return before


def test_a_silence_at_any_question_ends_nothing(api: Api, settings: Settings) -> None:
    api.before = silent_once_each()
    said: list[str] = []
    assert run_to_release(settings, lambda progress: said.append(progress.message)) == 1
    assert any(line.startswith("no answer") for line in said)
    assert said[-1] == "release 1"
    assert not any(api.paused.values())
    assert len(api.triggered) == len(CONTRACTS) + 1, "nothing was run twice"


def test_a_silence_of_the_warehouse_ends_nothing_either(
    api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [psycopg.OperationalError("timeout expired"), psycopg.errors.CannotConnectNow("starting up")]

    def count(*_: Any) -> None:
        if left:
            raise left.pop()

    monkeypatch.setattr(first_run, "_count", count)
    assert run_to_release(settings, lambda _: None) == 1
    assert not left


def test_upkeep_does_not_wait_for_the_release(api: Api, settings: Settings) -> None:
    run_to_release(settings, lambda _: None)
    assert not any(api.paused_at_marts.values())


def test_nothing_stays_paused_when_a_feed_fails(api: Api, settings: Settings) -> None:
    api.end = "failed"
    with pytest.raises(ServiceError, match="failed"):
        run_to_release(settings, lambda _: None)
    assert not any(api.paused.values())


@pytest.mark.parametrize(("patience", "is_running"), [(0.0, True), (600.0, False)])
def test_waiting_has_an_end_which_says_that_the_command_may_be_run_again(
    api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch, patience: float, is_running: bool
) -> None:
    def silent(question: str) -> None:
        if question == "under_way":
            raise SILENT

    api.before = silent
    monkeypatch.setattr(first_run, "_PATIENCE_SECONDS", patience)
    monkeypatch.setattr(account, "is_running", lambda _: is_running)
    with pytest.raises(ServiceError, match="does not answer") as caught:
        run_to_release(settings, lambda _: None)
    assert "run the same command again" in str(caught.value.advice)
    assert not any(api.paused.values())


def test_another_error_of_the_warehouse_is_not_waited_for(settings: Settings) -> None:
    def broken() -> None:
        raise psycopg.errors.UndefinedTable

    with pytest.raises(psycopg.errors.UndefinedTable):
        first_run._patiently(settings, Progress(), lambda _: None, broken)
