"""What the doctor says of the connections to departments, against real servers of which some are broken."""

from __future__ import annotations

import socket
import stat
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.faults.conftest import LAST_DAY, Departments, connect
from tests.integration.faults.small_feeds import CERTIFICATES, TRAINING
from tests.integration.faults.test_connections import closed_port
from threegaps import feed_run
from threegaps.cli import doctor
from threegaps.cli.doctor_connections import examine_connections
from threegaps.errors import FeedError
from threegaps.ledger.attempts import failing_since
from threegaps.orchestration import tasks
from threegaps.orchestration.names import feed_dag
from threegaps.settings import Settings

pytestmark = pytest.mark.integration


def told(*, seconds: float = 15.0) -> dict[str, dict[str, Any]]:
    return {found["name"]: found for found in examine_connections(Settings.load(), seconds=seconds)}


def test_every_connection_is_tried_and_nothing_is_fetched(reading: Departments, warehouse: str) -> None:
    names = set(reading.connections)
    found = told()
    assert set(found) == {"connections"}
    assert found["connections"]["state"] == "ok"
    assert f"{len(names)} of {len(names)} connections" in found["connections"]["message"]


def test_three_broken_connections_are_each_named_with_their_cause(
    reading: Departments, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = closed_port()
    connect(monkeypatch, "hrss_sftp", {**reading.connections["hrss_sftp"], "port": dead})
    for name in ("hrss_gateway", "hrss_database"):
        connect(monkeypatch, name, {**reading.connections[name], "password": "wrong-in-tests"})
    found = told()
    summary = found.pop("connections")
    assert summary["state"] == "wrong"
    assert f"{len(reading.connections) - 3} of {len(reading.connections)}" in summary["message"]
    causes = {name: (one["state"], one["cause"], one["host"], one["port"]) for name, one in found.items()}
    assert causes == {
        "connection hrss_sftp": ("wrong", "unreachable", "127.0.0.1", dead),
        "connection hrss_gateway": ("wrong", "login_refused", "127.0.0.1", reading.http.port),
        "connection hrss_database": (
            "wrong",
            "login_refused",
            "127.0.0.1",
            reading.connections["hrss_database"]["port"],
        ),
    }
    for name, one in found.items():
        assert one["advice"]
        assert "|" not in one["message"] + one["message_zh"]
        assert one["feeds"]
        assert f"127.0.0.1:{one['port']}" in one["message"], name
        assert "wrong-in-tests" not in str(one)
        assert f"127.0.0.1:{one['port']}" in one["message_zh"], name
    assert "连接被拒绝" in found["connection hrss_sftp"]["message_zh"]
    assert "connection refused" in found["connection hrss_sftp"]["message"]


def test_a_system_that_keeps_us_waiting_keeps_nothing_else_waiting(
    reading: Departments, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told()  # what is imported once is
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        connect(monkeypatch, "hrss_sftp", {**reading.connections["hrss_sftp"], "port": port})
        began = time.monotonic()
        found = told(seconds=6)
        assert time.monotonic() - began < 20
    assert set(found) == {"connections", "connection hrss_sftp"}
    assert found["connection hrss_sftp"]["cause"] == "timed_out"
    assert found["connection hrss_sftp"]["port"] == port


def test_a_connection_that_is_not_set_is_named(
    reading: Departments, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HRSS_SFTP", "HRSS_GATEWAY", "HRSS_DATABASE"):
        monkeypatch.delenv(f"AIRFLOW_CONN_{name}")
    found = told()
    for name in ("hrss_sftp", "hrss_gateway", "hrss_database"):
        assert found[f"connection {name}"]["cause"] == "misconfigured"
        assert f"There is no connection '{name}'" in found[f"connection {name}"]["message"]


def test_landing_that_cannot_be_written_is_told(
    reading: Departments, warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load()
    folder = settings.landing_folder
    assert folder is not None
    folder.mkdir(parents=True, exist_ok=True)
    assert doctor._landing(settings)[0] == "ok"
    assert list(folder.iterdir()) == []
    # A file in the folder's place: rights alone do not stop the superuser.
    folder.rmdir()
    folder.touch()
    monkeypatch.setattr(doctor, "_CHECKS", (("landing", doctor._landing),))
    monkeypatch.setattr(doctor, "examine_connections", lambda _: [])
    (found,) = doctor.examine(settings)
    assert found["state"] == "wrong"
    assert "Nothing can be written to landing" in found["message"]
    assert stat.S_ISREG(folder.stat().st_mode)


def woken(*feeds: str, warehouse: str) -> list[dict[str, str]]:
    """The runs that upkeep triggers for *feeds* once their department lets us in."""
    with psycopg.connect(warehouse, autocommit=True) as connection:
        last = {one.feed: one.last_attempt_id for one in failing_since(connection)}
    return [
        {"trigger_dag_id": feed_dag(feed), "trigger_run_id": f"{tasks.ANSWERS_AGAIN}{last[feed]}"} for feed in feeds
    ]


def test_a_feed_whose_department_lets_us_in_again_is_run_once(
    reading: Departments, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("hrss_database", "hrss_gateway"):
        connect(monkeypatch, name, {**reading.connections[name], "password": "wrong-in-tests"})
    for feed in (CERTIFICATES, TRAINING):
        with pytest.raises(FeedError, match="login"):
            feed_run.land(feed, LAST_DAY)
    assert tasks.feeds_that_answer_again(15) == []
    connect(monkeypatch, "hrss_database", reading.connections["hrss_database"])
    found = woken(CERTIFICATES, warehouse=warehouse)
    assert tasks.feeds_that_answer_again(15) == found
    assert tasks.feeds_that_answer_again(15) == found, "by the same name Airflow runs it once"
    feed_run.land(CERTIFICATES, LAST_DAY)
    assert tasks.feeds_that_answer_again(15) == []


def test_all_feeds_behind_a_connection_run_once_it_lets_us_in(
    reading: Departments, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether one was tried a moment ago or not; one that failed although we were let in is left alone for a while."""
    connect(monkeypatch, "hrss_gateway", {**reading.connections["hrss_gateway"], "password": "wrong-in-tests"})
    behind = (TRAINING, "hrss/job_vacancies")
    for feed in behind:
        with pytest.raises(FeedError, match="login"):
            feed_run.land(feed, LAST_DAY)
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute(
            "update ops.attempt set started_at = started_at - interval '20 minutes' where feed = %s", [TRAINING]
        )
    connect(monkeypatch, "hrss_gateway", reading.connections["hrss_gateway"])
    found = sorted(woken(*behind, warehouse=warehouse), key=str)
    assert sorted(tasks.feeds_that_answer_again(15), key=str) == found
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute("update ops.attempt set run_id = %s", [found[0]["trigger_run_id"]])
        assert tasks.feeds_that_answer_again(15) == woken(TRAINING, warehouse=warehouse)
        connection.execute("update ops.attempt set started_at = started_at - interval '20 minutes'")
        assert sorted(tasks.feeds_that_answer_again(15), key=str) == found
