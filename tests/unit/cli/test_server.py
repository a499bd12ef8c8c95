"""On a server the deployment runs the services: commands ask Airflow, and make up no login of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from threegaps.airflow_api import AirflowApi
from threegaps.cli import display, doctor, status_page
from threegaps.settings import Settings

HEALTHY = {part: {"status": "healthy"} for part in ("scheduler", "dag_processor", "triggerer")}


@pytest.fixture
def server(tmp_path: Path) -> Settings:
    return Settings.load(
        {
            "THREEGAPS_HOME": str(tmp_path / "home"),
            "THREEGAPS_WAREHOUSE_HOST": "127.0.0.1",
            "THREEGAPS_WAREHOUSE_PORT": "1",
            "THREEGAPS_AIRFLOW_URL": "http://airflow.test",
        }
    )


def say(monkeypatch: pytest.MonkeyPatch, health: dict[str, Any]) -> None:
    monkeypatch.setattr(AirflowApi, "health", lambda self: health)


def test_no_password_is_made_up(server: Settings) -> None:
    where = display.addresses(server)
    assert (where["airflow"]["password"], where["database"]["password"]) == (None, None)
    assert where["airflow"]["address"] == "http://airflow.test"
    assert not server.home.exists()


def test_readers_are_sent_where_the_deployment_says(server: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, HEALTHY)
    found = status_page.collect(server)["readers"]
    assert (found["address"], found["login"], found["password_in"]) == ("127.0.0.1:1", None, None)
    elsewhere = Settings.load({**server.environment, "THREEGAPS_READER_ADDRESS": "figures.test:5432"})
    assert status_page.collect(elsewhere)["readers"]["address"] == "figures.test:5432"


def test_the_services_are_what_airflow_says(server: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, {**HEALTHY, "triggerer": {"status": "unhealthy"}})
    page = status_page.collect(server)
    assert {one["name"]: one["state"] for one in page["services"]} == {
        "scheduler": "running",
        "dag processor": "running",
        "triggerer": "unhealthy",
    }
    # The warehouse explains what Airflow lacks: its own database is there.
    assert [one["cause_key"] for one in page["incidents"]] == ["warehouse_down"]
    assert page["state"] == "critical"


@pytest.mark.parametrize(("health", "state"), [(HEALTHY, "ok"), ({}, "warning")])
def test_the_doctor_asks_airflow(
    server: Settings, monkeypatch: pytest.MonkeyPatch, health: dict[str, Any], state: str
) -> None:
    say(monkeypatch, health)
    (found,) = (one for one in doctor.examine(server) if one["name"] == "services")
    assert (found["state"], "http://airflow.test" in found["message"]) == (state, True)
