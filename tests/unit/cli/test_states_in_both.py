"""States and gravities in sentences, where both languages are spoken: the Chinese name is the official one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from typer.testing import CliRunner

from threegaps.airflow_api import AirflowApi
from threegaps.cli import incidents, releases
from threegaps.cli.app import app
from threegaps.ledger.incidents import Cause
from threegaps.settings import SHANGHAI
from threegaps.watch.journal import new_incident


class Airflow:
    """One whose run of the marts has ended at once."""

    def trigger(self, _: str, **__: Any) -> dict[str, str]:
        return {"dag_run_id": "one", "state": "success"}

    def task_states(self, *_: str) -> dict[str, str]:
        return {"claim": "success", "build": "upstream_failed"}


def test_a_run_of_the_marts_ends_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AirflowApi, "of", lambda *_, **__: Airflow())
    monkeypatch.setattr(releases, "_tell_what_is_held", lambda _: None)
    shown = CliRunner().invoke(app, ["--lang", "both", "build"]).stdout
    assert "one: 成功 success" in shown
    assert "build: 前序失败 upstream failed" in shown


def test_the_gravity_of_an_incident_is_said_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    now = dt.datetime(2026, 11, 27, 10, 0, tzinfo=SHANGHAI)
    incidents._page(new_incident(Cause("build_failed", "", "critical", "构建失败", "build failed"), now), [])
    assert "Incident 0, 严重 critical: " in capsys.readouterr().out
