"""A command that talks to Airflow sends nothing where none of ours runs, whatever listens at its port."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from threegaps.airflow_api import AirflowApi
from threegaps.cli.app import app
from threegaps.errors import ServiceError, SettingsError
from threegaps.home import account
from threegaps.settings import Settings


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
