"""On a server the deployment runs the services: commands ask Airflow, and make up no login of their own."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import Any

import pytest

from threegaps.airflow_api import AirflowApi
from threegaps.cli import display, doctor, status_page
from threegaps.cli.output import PlainConsole
from threegaps.settings import SHANGHAI, Settings
from threegaps.watch import heartbeat
from threegaps.watch.heartbeat import Heartbeat
from threegaps.watch.readings import AirflowReading, MachineReading, ServerReading, ServiceReading, WarehouseReading

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
        "triggerer": "hanging",
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


@pytest.mark.parametrize(
    ("part", "beat_minutes", "said"),
    [
        ("scheduler", 0, "scheduler 没有响应 hanging; the others run: postgres, sandbox, dag-processor, watch"),
        ("dag_processor", 0, "dag-processor 没有响应 hanging; the others run: postgres, sandbox, scheduler, watch"),
        ("", 3, "watch 没有响应 hanging; the others run: postgres, sandbox, scheduler, dag-processor"),
        ("", 0, "all run: postgres, sandbox, scheduler, dag-processor, watch"),
    ],
)
def test_the_line_of_services_says_which_hangs_though_its_process_is_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    part: str,
    beat_minutes: int,
    said: str,
) -> None:
    home = Settings.load({"THREEGAPS_HOME": str(tmp_path)})
    names = ("postgres", "sandbox", "scheduler", "dag-processor", "watch")
    parts = {"scheduler": "healthy", "dag_processor": "healthy"} | ({part: "unhealthy"} if part else {})
    around = MachineReading(
        airflow=AirflowReading(address="http://airflow.test", answers=True, seconds=0.1, parts=parts),
        services=tuple(ServiceReading(name, "running", os.getpid(), 0) for name in names),
        warehouse=WarehouseReading("127.0.0.1:1", answers=True, said=""),
        sandbox=(ServerReading("gateway", "127.0.0.1:2", True),),
    )
    now = dt.datetime.now(SHANGHAI)
    heartbeat.beat(home, Heartbeat(os.getpid(), now - dt.timedelta(minutes=beat_minutes), 0.1, 9))
    page = {
        "services": status_page._services(home, around, status_page.watch_seen(home, now)),
        "airflow": "",
        "readers": {"address": None},
    }
    monkeypatch.setattr(status_page, "console", PlainConsole(width=200))
    status_page._show_services(page, with_all=False)
    assert f"Services: {said}" in capsys.readouterr().out


def test_what_does_not_answer_is_no_service_that_runs(tmp_path: Path) -> None:
    home = Settings.load({"THREEGAPS_HOME": str(tmp_path)})
    around = MachineReading(
        airflow=AirflowReading(address="http://airflow.test", answers=False, seconds=10),
        services=tuple(
            ServiceReading(name, "running", 1, 0) for name in ("postgres", "sandbox", "api-server", "triggerer")
        ),
        warehouse=WarehouseReading("127.0.0.1:1", answers=False, said=""),
        sandbox=(ServerReading("gateway", "127.0.0.1:2", False), ServerReading("SFTP", "127.0.0.1:3", True)),
    )
    found = status_page._services(home, around, {"state": "running"})
    assert {one["name"]: one["state"] for one in found} == {
        "postgres": "silent",
        "sandbox": "silent",
        "api-server": "silent",
        "triggerer": "running",
    }


CHANNEL = """
version: 1
channels:
  duty: {kind: webhook, url: "https://duty.test", secret_variable: DUTY_SECRET}
routes:
  - {channels: [duty]}
"""


@pytest.mark.parametrize(
    ("minutes", "alerts", "variables", "state", "said"),
    [
        (None, "", {}, "wrong", "the watch is not seen yet: nobody is told of anything"),
        (3, CHANNEL, {"DUTY_SECRET": "of-tests"}, "wrong", "the watch is hung, last seen at"),
        (0, "", {}, "warning", "it has no channel: nobody is told of anything"),
        (0, CHANNEL, {}, "wrong", "channels that lack variables: duty"),
        (0, CHANNEL, {"DUTY_SECRET": "of-tests"}, "ok", "it tells by duty"),
        (0, "channels: [", {}, "wrong", "alerts.yaml"),
    ],
)
def test_the_doctor_says_whether_the_watch_lives_and_can_tell(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    minutes: int | None,
    alerts: str,
    variables: dict[str, str],
    state: str,
    said: str,
) -> None:
    monkeypatch.setattr(doctor, "_CHECKS", tuple(one for one in doctor._CHECKS if one[0] == "watch"))
    monkeypatch.setattr(doctor, "examine_connections", lambda _: [])
    home = Settings.load({"THREEGAPS_HOME": str(tmp_path), **variables})
    if minutes is not None:
        at = dt.datetime.now(SHANGHAI) - dt.timedelta(minutes=minutes)
        heartbeat.beat(home, Heartbeat(os.getpid(), at, 0.1, 9))
    if alerts:
        (tmp_path / "alerts.yaml").write_text(alerts, encoding="utf-8")
    (found,) = doctor.examine(home)
    assert (found["state"], said in found["message"]) == (state, True), found
    assert bool(found["advice"]) == (state != "ok")


def test_what_the_doctor_says_is_in_each_language_by_itself(server: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """No finding holds both languages in one text: what stood before the bar would be taken for the other's."""
    say(monkeypatch, {})
    for one in doctor.examine(server):
        both = doctor.in_both_languages(one)
        for part in ("message", "advice"):
            assert not re.search("[\u4e00-\u9fff]", both[part]), both
            assert " | " not in both[f"{part}_zh"], both
