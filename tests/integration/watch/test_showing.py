"""The page and the metrics after a pass, with a warehouse that answers, one that does not, and a disk that is full."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from threegaps.settings import SHANGHAI, Settings
from threegaps.watch.alerts import Alerts, ChannelSettings
from threegaps.watch.looking import Looked
from threegaps.watch.readings import LedgerReading, NotLookedAt
from threegaps.watch.showing import Connect, Showing, alerts_said, looks_of
from threegaps.watch.snapshot import Snapshot

pytestmark = pytest.mark.integration

NOW = dt.datetime(2026, 11, 27, 10, 0, tzinfo=SHANGHAI)
WITH_MAIL = Alerts((ChannelSettings("mail", "mail", {"password_variable": "MAIL_PASSWORD"}),))


def settings_of(tmp_path: Path, **environment: str) -> Settings:
    return Settings.load({"THREEGAPS_HOME": str(tmp_path), **environment})


def connecting(dsn: str) -> Connect:
    return lambda: psycopg.connect(dsn, autocommit=True, connect_timeout=2)


def show(showing: Showing, **changed: Any) -> Snapshot:
    given: dict[str, Any] = {
        "pass_seconds": 0.4,
        "passes": 3,
        "failed_passes": 1,
        "not_looked_at": (),
        "incidents": (),
        "looked": Looked((), frozenset(), ledger=LedgerReading(NOW)),
        "alerts": Alerts(is_absent=True),
        "problem": "",
    }
    return showing.show(NOW, **{**given, **changed})


def test_a_pass_is_shown_as_page_data_and_metrics(tmp_path: Path, warehouse: str) -> None:
    showing = Showing(settings_of(tmp_path), tmp_path / "watch", connecting(warehouse), interval_seconds=15)
    assert showing.start() == ""
    seen = show(showing)
    data = json.loads((tmp_path / "watch" / "status.json").read_text(encoding="utf-8"))
    assert (data["state"], data["passes"], data["feeds"], data["is_synthetic"]) == ("fine", 3, [], True)
    assert "There is no alerts.yaml" in (tmp_path / "watch" / "status.en.html").read_text(encoding="utf-8")
    assert {look.name: look.could_look for look in seen.looks} == {
        "airflow": True,
        "disks": True,
        "ledger": True,
        "sandbox": True,
    }
    assert 'threegaps_watch_look_succeeded{look="ledger"} 1' in (showing.metrics.text(NOW) or "")


def test_a_dead_warehouse_is_shown_as_what_cannot_be_told(tmp_path: Path) -> None:
    dead = connecting("host=127.0.0.1 port=1 user=pipeline dbname=warehouse")
    showing = Showing(settings_of(tmp_path), tmp_path, dead, interval_seconds=15)
    seen = show(showing, not_looked_at=(NotLookedAt("disks", "no such file"),))
    assert seen.feeds is None
    assert {look.name: look.reason_en for look in seen.looks if not look.could_look} == {
        "disks": "no such file",
        "ledger": "connection refused",
    }
    assert json.loads((tmp_path / "status.json").read_text(encoding="utf-8"))["state"] == "warning"
    assert "threegaps_feeds{" not in (showing.metrics.text(NOW) or "")


def test_a_reason_that_the_pass_gives_for_the_ledger_is_the_one_that_is_shown(tmp_path: Path) -> None:
    @contextlib.contextmanager
    def slow() -> Iterator[psycopg.Connection[Any]]:
        raise TimeoutError
        yield

    showing = Showing(settings_of(tmp_path), tmp_path, slow, interval_seconds=15)
    seen = show(showing, not_looked_at=(NotLookedAt("ledger", "it is starting up"),))
    assert [look.reason_en for look in seen.looks if look.name == "ledger"] == ["it is starting up"]


def test_a_disk_that_is_full_ends_no_metrics(tmp_path: Path, warehouse: str) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    showing = Showing(settings_of(tmp_path), tmp_path / "file", connecting(warehouse), interval_seconds=15)
    with pytest.raises(OSError, match="exists"):
        show(showing)
    assert showing.metrics.text(NOW) is not None


def test_a_port_that_is_taken_is_said_and_the_pages_are_written(tmp_path: Path, warehouse: str) -> None:
    first = Showing(settings_of(tmp_path), tmp_path, connecting(warehouse), interval_seconds=15)
    port = first.metrics.start("127.0.0.1", 0)
    second = Showing(
        settings_of(tmp_path, THREEGAPS_METRICS_PORT=str(port)), tmp_path, connecting(warehouse), interval_seconds=15
    )
    assert str(port) in second.start()
    show(second)
    assert (tmp_path / "status.html").exists()
    first.metrics.stop()


def test_why_people_cannot_be_told_is_said(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert "nobody is told" in alerts_said(Alerts(is_absent=True), settings, "")[1]
    assert "MAIL_PASSWORD" in alerts_said(WITH_MAIL, settings, "")[1]
    assert alerts_said(WITH_MAIL, settings_of(tmp_path, MAIL_PASSWORD="x"), "") == ("", "")
    wrong = "alerts.yaml: burst is no number."
    assert "what it said before holds" in alerts_said(WITH_MAIL, settings, wrong)[1]
    zh, en = alerts_said(Alerts(is_absent=True), settings, wrong, can_tell=False)
    assert "nobody is told until it is mended" in en
    assert "不通知任何人" in zh
    assert "before" not in en
    assert "之前的配置" not in zh


def test_what_is_not_known_by_name_is_shown_whole() -> None:
    missing = (
        NotLookedAt("", "another watch is at work here"),
        NotLookedAt("watch", "a pass failed: KeyError"),
        NotLookedAt("airflow", "the services are stopping"),
    )
    found = {look.name: look for look in looks_of(missing)}
    assert not found["other"].could_look
    assert found["other"].reason_en == "another watch is at work here; watch: a pass failed: KeyError"
    assert found["other"].reason_zh == "另一个值守程序在此运行;值守程序: 一次查看失败: KeyError"
    assert found["airflow"].reason_en == "the services are stopping"
    assert found["airflow"].reason_zh == "服务停止中"
    assert found["disks"].could_look
    assert dataclasses.is_dataclass(found["disks"])
