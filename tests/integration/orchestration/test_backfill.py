"""Backfills against Airflow's own API: what is said to run, by command, page and API, is what it makes runs of."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from threegaps.airflow_api import AirflowApi
from threegaps.contracts.loader import find_contract
from threegaps.errors import ServiceError
from threegaps.feed_run.unloaded import Looked, Unloaded
from threegaps.orchestration import backfilling
from threegaps.orchestration.backfilling import wanted_deliveries
from threegaps.settings import Settings

pytestmark = pytest.mark.integration

FEED, DAG_ID = "hrss/wage_records", "feed_hrss_wage_records"
SETTINGS = Settings.load({"THREEGAPS_SANDBOX": "1", "THREEGAPS_SANDBOX_LAST_DAY": "2026-06-30"})
CONTRACT = find_contract(SETTINGS.contracts_folder, FEED)


class Airflow:
    """The API that runs, and its database."""

    def __init__(self, api: AirflowApi, database: Path) -> None:
        self.api, self._database = api, database

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._database, timeout=30)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def runs(self) -> list[tuple[str, str, str]]:
        """Each run: delivery, state, type."""
        return [
            (str(key), str(state), str(kind))
            for key, state, kind in self.execute("select partition_key, state, run_type from dag_run order by id")
        ]

    def end(self, state: str, *keys: str) -> None:
        """Let the runs of these deliveries end, as the scheduler does, and the backfill with the last of them."""
        for key in keys:
            self.execute(
                "update dag_run set state = ?, start_date = strftime('%Y-%m-%d %H:%M:%f000', 'now')"
                " where partition_key = ? and state = 'queued'",
                state,
                key,
            )
        if not self.execute("select 1 from dag_run where state = 'queued'"):
            self.execute("update backfill set completed_at = current_timestamp where completed_at is null")

    def forget(self) -> None:
        for table in ("backfill_dag_run", "dag_run", "backfill"):
            self.execute(f"delete from {table}")

    def page(self, path: str, **body: Any) -> Any:
        """What the page sends when somebody asks on it."""
        return self.api._call("POST", path, {"dag_id": DAG_ID, "dag_run_conf": {}, **body})


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    home = tmp_path_factory.mktemp("airflow")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    (home / "passwords.json").write_text(json.dumps({"admin": "in-tests"}), encoding="utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(SETTINGS.root / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(SETTINGS.root / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Shanghai",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__API_AUTH__JWT_SECRET": "s" * 64,
        "_AIRFLOW_PARSING_CONTEXT_DAG_ID": DAG_ID,
        "THREEGAPS_SANDBOX_LAST_DAY": "2026-06-30",
    }
    script = Path(__file__).with_name("serving_airflow.py")
    with (home / "log").open("wb") as log:
        server = subprocess.Popen([sys.executable, str(script), str(port)], env=environment, stdout=log, stderr=log)
    try:
        api = AirflowApi(f"http://127.0.0.1:{port}", ("admin", "in-tests"), timeout_seconds=120)
        while not api.health():
            assert server.poll() is None, (home / "log").read_text(encoding="utf-8")[-3000:]
            time.sleep(0.2)
        yield Airflow(api, home / "airflow.db")
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def airflow(serving: Airflow, monkeypatch: pytest.MonkeyPatch) -> Airflow:
    """The API without any run yet, and departments where nothing lies."""
    serving.forget()
    monkeypatch.setattr(backfilling, "look_for_unloaded", lambda *_: Looked({}))
    return serving


def backfill(airflow: Airflow, first: str, last: str, *, again: bool = False) -> dict[str, str]:
    """Run the plan; why each delivery runs, of those that do."""
    plan = backfilling.plan(SETTINGS, airflow.api, CONTRACT, wanted_deliveries(CONTRACT, first, last), again=again)
    before = len(airflow.runs())
    backfilling.start(airflow.api, CONTRACT, plan)
    # What it says is what there is afterwards.
    assert sorted(key for key, _, _ in airflow.runs()[before:]) == [one.delivery for one in plan.running()]
    return {one.delivery: one.why for one in plan.running()}


def test_it_runs_what_has_not_run_and_what_failed(airflow: Airflow) -> None:
    assert set(backfill(airflow, "2026-01", "2026-04").values()) == {"never_run"}
    with pytest.raises(ServiceError, match="has not ended"):
        backfill(airflow, "2026-05", "2026-05")
    # One that fails stops no other one.
    airflow.end("failed", "2026-02")
    assert [state for _, state, _ in airflow.runs()] == ["queued", "failed", "queued", "queued"]
    airflow.end("success", "2026-01", "2026-03", "2026-04")
    assert backfill(airflow, "2026-01", "2026-05") == {"2026-02": "failed_before", "2026-05": "never_run"}
    airflow.end("success", "2026-02", "2026-05")
    assert backfill(airflow, "2026-01", "2026-05") == {}


def test_again_runs_what_has_succeeded(airflow: Airflow) -> None:
    backfill(airflow, "2026-01", "2026-02")
    airflow.end("success", "2026-01", "2026-02")
    assert backfill(airflow, "2026-01", "2026-02") == {}
    assert backfill(airflow, "2026-01", "2026-02", again=True) == {"2026-01": "again", "2026-02": "again"}


def test_a_correction_that_lies_there_is_run(airflow: Airflow, monkeypatch: pytest.MonkeyPatch) -> None:
    backfill(airflow, "2026-01", "2026-03")
    airflow.end("success", "2026-01", "2026-02", "2026-03")
    monkeypatch.setattr(backfilling, "look_for_unloaded", lambda *_: Looked({"2026-02": Unloaded(corrections=1)}))
    assert backfill(airflow, "2026-01", "2026-04") == {"2026-02": "not_loaded", "2026-04": "never_run"}
    assert [(key, kind) for key, _, kind in airflow.runs()[3:]] == [("2026-04", "backfill"), ("2026-02", "manual")]


def test_it_goes_on_after_a_cancel(airflow: Airflow) -> None:
    backfill(airflow, "2026-01", "2026-04")
    airflow.end("success", "2026-01")
    ((number,),) = airflow.execute("select id from backfill")
    airflow.api._call("PUT", f"/api/v2/backfills/{number}/cancel")
    assert backfill(airflow, "2026-01", "2026-04") == dict.fromkeys(["2026-02", "2026-03", "2026-04"], "failed_before")


def test_what_is_under_way_is_left_alone(airflow: Airflow) -> None:
    airflow.api.trigger(DAG_ID, partition_key="2026-02")
    assert backfill(airflow, "2026-01", "2026-03", again=True) == {"2026-01": "never_run", "2026-03": "never_run"}


def test_what_is_not_over_yet_does_not_run(airflow: Airflow) -> None:
    plan = backfilling.plan(
        SETTINGS, airflow.api, CONTRACT, wanted_deliveries(CONTRACT, "2026-05", "2026-08"), again=False
    )
    assert [one.why for one in plan.deliveries] == ["never_run", "never_run", "not_over", "not_over"]


@pytest.mark.parametrize(
    ("first", "last", "asked_from", "asked_to"),
    [
        # As the page sends what is asked for in Shanghai.
        ("2026-03", "2026-03", "2026-02-28T16:00:00Z", "2026-02-28T16:00:00Z"),
        ("2026-01", "2026-03", "2025-12-31T16:00:00.000Z", "2026-02-28T16:00:00.000Z"),
        ("2026-01", "2026-03", "2025-12-31T16:00:00Z", "2026-03-31T15:59:59Z"),
        ("2026-01", "2026-03", "2026-01-01T00:00:00+08:00", "2026-03-31T23:59:59+08:00"),
        # Without a zone.
        ("2026-03", "2026-03", "2026-03-01T00:00:00", "2026-03-31T00:00:00"),
    ],
)
def test_command_page_and_api_give_the_same_deliveries(
    airflow: Airflow, first: str, last: str, asked_from: str, asked_to: str
) -> None:
    plan = backfilling.plan(SETTINGS, airflow.api, CONTRACT, wanted_deliveries(CONTRACT, first, last), again=False)
    wanted = [one.delivery for one in plan.running()]
    window = {"from_date": asked_from, "to_date": asked_to}
    shown = airflow.page("/api/v2/backfills/dry_run", **window)["backfills"]
    assert [one["partition_key"] for one in shown] == wanted
    airflow.page("/api/v2/backfills", **window)
    assert [key for key, _, _ in airflow.runs()] == wanted


def test_a_run_without_a_key_is_taken_and_a_wrong_key_is_refused(airflow: Airflow) -> None:
    airflow.api.trigger(DAG_ID)
    assert [key for key, _, _ in airflow.runs()] == ["None"]
    with pytest.raises(ServiceError, match="delivery"):
        airflow.api.trigger(DAG_ID, partition_key="2026Q2")
    assert len(airflow.runs()) == 1


def test_a_paused_dag_is_told_with_who_paused_it_and_when(airflow: Airflow) -> None:
    airflow.api.set_paused(DAG_ID, is_paused=False)
    assert airflow.api.paused_dags() == {}
    before = dt.datetime.now(dt.UTC)
    airflow.api.set_paused(DAG_ID, is_paused=True)
    (pause,) = (found for dag_id, found in airflow.api.paused_dags().items() if dag_id == DAG_ID)
    assert pause.by == "admin"
    assert pause.since is not None
    assert dt.timedelta(0) <= pause.since - before < dt.timedelta(minutes=2)
