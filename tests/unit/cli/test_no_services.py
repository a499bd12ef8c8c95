"""A command that talks to Airflow sends nothing where none of ours runs, whatever listens at its port."""

from __future__ import annotations

import inspect
import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from threegaps.airflow_api import AirflowApi
from threegaps.cli import doctor, status_page
from threegaps.cli.app import app
from threegaps.errors import ServiceError, SettingsError
from threegaps.home import account
from threegaps.labels import SERVICE_STATES
from threegaps.one_machine import supervisor
from threegaps.settings import Settings
from threegaps.translations import in_both
from threegaps.watch.asking import Asked
from threegaps.watch.kinds import KINDS, command
from threegaps.watch.readings import NotLookedAt, UnreadLedger, WarehouseReading


@pytest.fixture
def stranger() -> Iterator[socket.socket]:
    """Another program's server, at the port where our Airflow was."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0)
        yield server


@pytest.fixture
def home(tmp_path: Path, stranger: socket.socket, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [name for name in os.environ if name.startswith("THREEGAPS_") and name != "THREEGAPS_ROOT"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("THREEGAPS_HOME", str(tmp_path))
    settings = Settings.load()
    settings.remember(postgres_port=1, airflow_port=stranger.getsockname()[1])
    return settings


@pytest.mark.parametrize("command", [["backfill", "hrss/wage_records", "2026-01", "2026-02"], ["build"]])
def test_nothing_is_sent_to_a_stranger(command: list[str], home: Settings, stranger: socket.socket) -> None:
    with pytest.raises(ServiceError, match=r"Airflow does not run.*threegaps up"):
        app(command, standalone_mode=False)
    with pytest.raises(BlockingIOError):
        stranger.accept()


STARTED = [("postgres", True), ("dag-processor", False), ("watch", True)]


@pytest.fixture
def moving(home: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """The services of this home do so; the ledger is not the one that this version knows."""
    lock = account.try_lock(home)
    assert lock is not None

    def be(state: str) -> None:
        services = [
            {"name": name, "state": "running" if runs else "waiting to start again", "pid": os.getpid(), "restarts": 0}
            for name, runs in STARTED
        ]
        account.status_path(home).write_text(json.dumps({"state": state, "services": services}), encoding="utf-8")

    yield be
    os.close(lock)


def of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "its schema is not the one that this version knows; `threegaps migrate` makes it"
    asked: Asked[status_page._Ledger] = Asked(
        WarehouseReading("127.0.0.1:1", answers=True, unread=UnreadLedger("missing", said)),
        missing=(NotLookedAt("ledger", said),),
    )
    monkeypatch.setattr(status_page, "_ask", lambda _: asked)


@pytest.mark.parametrize("state", ["starting", "stopping"])
@pytest.mark.parametrize("ledger", ["old", "silent"])
def test_services_on_their_way_are_no_alarm(
    home: Settings, moving: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, state: str, ledger: str
) -> None:
    moving(state)
    if ledger == "old":
        of_another_version(monkeypatch)
    page = status_page.collect(home)
    assert (page["state"], page["incidents"], page["not_looked_at"]) == ("warning", [], [])
    assert page["problems"] == [f"the services are {state}"]


def test_how_many_services_run_is_said_while_they_start(
    home: Settings, moving: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    moving("starting")
    of_another_version(monkeypatch)
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 1
    assert "Services: 2 of 7 run: postgres, watch" in result.stdout
    for said in ("migrate", "not seen yet", "all run", "critical"):
        assert said not in result.stdout


def test_the_same_is_told_of_services_that_all_run(
    home: Settings, moving: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    moving("running")
    of_another_version(monkeypatch)
    page = status_page.collect(home)
    assert "ledger_unreadable" in [one["kind"] for one in page["incidents"]]
    assert any(problem.startswith("the watch is not seen yet") for problem in page["problems"])


@pytest.mark.parametrize("state", ["starting", "stopping", "stopped", "failed"])
def test_a_state_of_the_services_has_its_own_word_in_chinese(state: str) -> None:
    assert in_both(f"airflow: the services are {state}")[0].endswith(f"服务{SERVICE_STATES[state][0]}")


def test_the_services_that_are_awaited_are_those_that_the_supervisor_starts() -> None:
    source = inspect.getsource(supervisor)
    assert all(f'"{name}"' in source for name in status_page._OWN_SERVICES)


def test_no_incident_sends_its_reader_to_the_page_that_he_reads() -> None:
    assert [kind for kind in KINDS if command(kind, None) == "threegaps status"] == []


def test_where_nothing_runs_no_address_is_given(home: Settings) -> None:
    result = CliRunner().invoke(app, ["status"])
    assert (result.exit_code, "`threegaps up`" in result.stdout, "Services: none" in result.stdout) == (2, True, True)
    assert "Airflow:" not in result.stdout
    assert "Readers" not in result.stdout


@pytest.mark.parametrize(
    ("paused", "is_first_run", "state", "advised"),
    [
        (["marts", "released", "retention", "upkeep"], True, "ok", ""),
        (["marts", "upkeep"], False, "warning", "Airflow's page."),
        (["marts", "feed_hrss_wage_records"], False, "warning", "threegaps feeds pause"),
        (["marts", "feed_hrss_wage_records"], True, "warning", "threegaps feeds pause"),
    ],
)
def test_the_doctor_advises_nothing_against_a_first_run_and_a_pause_of_feeds_for_feeds_alone(
    home: Settings,
    moving: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    paused: list[str],
    is_first_run: bool,
    state: str,
    advised: str,
) -> None:
    moving("running")
    parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
    monkeypatch.setattr(AirflowApi, "health", lambda _: {part: {"status": "healthy"} for part in parts})
    monkeypatch.setattr(AirflowApi, "dags", lambda _: {dag: {"is_paused": True} for dag in paused})
    monkeypatch.setattr(doctor, "_holds_dags", lambda _: is_first_run)
    found, message, advice = doctor._airflow(home)
    assert (found, advised in advice, bool(advice)) == (state, True, bool(advised))
    assert ("feeds pause" in advice) == any(dag.startswith("feed_") for dag in paused)
    told = {dag for dag in paused if not is_first_run or dag.startswith("feed_")}
    listed = message.rpartition(": ")[2]
    assert listed == ", ".join(sorted(told or paused))


def test_what_runs_is_asked_where_it_runs(home: Settings, stranger: socket.socket) -> None:
    lock = account.try_lock(home)
    assert lock is not None
    try:
        assert AirflowApi.of(home).address == f"http://127.0.0.1:{stranger.getsockname()[1]}"
    finally:
        os.close(lock)


def test_a_deployment_says_where_its_airflow_is(tmp_path: Path) -> None:
    server = {"THREEGAPS_HOME": str(tmp_path), "THREEGAPS_WAREHOUSE_HOST": "db.test"}
    with pytest.raises(SettingsError, match="THREEGAPS_AIRFLOW_URL"):
        AirflowApi.of(Settings.load(server))
    said = Settings.load({**server, "THREEGAPS_AIRFLOW_URL": "http://airflow.test/", "THREEGAPS_AIRFLOW_PASSWORD": "p"})
    assert AirflowApi.of(said).address == "http://airflow.test"
