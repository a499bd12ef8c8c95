"""Whether the watch lives is told by its heartbeat, and only a beat that has stopped says that it hangs."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from threegaps.home import processes
from threegaps.settings import SHANGHAI, Settings
from threegaps.watch import heartbeat
from threegaps.watch.heartbeat import HUNG_AFTER, Heartbeat


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load({"THREEGAPS_HOME": str(tmp_path)})


@pytest.fixture(autouse=True)
def age_seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the process has been running."""
    age = [10.0]
    monkeypatch.setattr(processes, "age_seconds", lambda _: age[0])
    return age


def beat(settings: Settings, *, ago: dt.timedelta = dt.timedelta(), pid: int = 7) -> None:
    uptime_seconds = time.monotonic() - ago.total_seconds()
    heartbeat.beat(settings, Heartbeat(pid, dt.datetime.now(SHANGHAI) - ago, 0.2, 3, ("disks: gone",), uptime_seconds))


def test_a_beat_is_read_as_it_was_written(settings: Settings) -> None:
    assert heartbeat.last_beat(settings) is None
    beat(settings)
    last = heartbeat.last_beat(settings)
    assert last is not None
    assert (last.pid, last.passes, list(last.not_looked_at)) == (7, 3, ["disks: gone"])
    assert not last.is_stale(dt.datetime.now(SHANGHAI))
    assert last.is_stale(dt.datetime.now(SHANGHAI) + dt.timedelta(minutes=3))


NAIVE = '{"pid": 7, "at": "2026-07-21T10:00:00", "pass_seconds": 1, "passes": 1, "not_looked_at": []}'
ODD = NAIVE.replace("10:00:00", "10:00:00+08:00")


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "{}", '{"at": 5}', "[]", '{"pid": 1, "at": "yesterday"}', "[" * 100_000, NAIVE),
        ODD.replace("[]", "5"),
        ODD.replace("[]", "[5]"),
        ODD.replace("7", '"7"', 1),
        ODD.replace('"passes": 1', '"passes": null'),
        ODD.replace('"passes": 1', '"passes": 1, "uptime_seconds": "1"'),
    ],
)
def test_a_damaged_file_is_no_beat(settings: Settings, content: str) -> None:
    beat(settings)
    heartbeat.heartbeat_path(settings).write_text(content, encoding="utf-8")
    assert heartbeat.last_beat(settings) is None
    assert not heartbeat.is_hung(settings, 7)


def test_a_whole_file_is_a_beat_and_one_from_the_future_is_stale(settings: Settings) -> None:
    beat(settings)
    heartbeat.heartbeat_path(settings).write_text(ODD, encoding="utf-8")
    assert heartbeat.last_beat(settings) is not None
    for seconds, is_stale in ((180, True), (60, True), (2, False)):
        beat(settings, ago=-dt.timedelta(seconds=seconds))
        last = heartbeat.last_beat(settings)
        assert last is not None
        assert last.is_stale(dt.datetime.now(SHANGHAI)) is is_stale


def test_a_file_of_an_older_version_is_a_beat(settings: Settings) -> None:
    beat(settings)
    path = heartbeat.heartbeat_path(settings)
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["uptime_seconds"]
    path.write_text(json.dumps(content | {"compared_at": None}), encoding="utf-8")
    assert heartbeat.last_beat(settings) is not None
    # It does not say when it beat by the machine's own clock: how long it has run says whether it is starting.
    assert not heartbeat.is_hung(settings, 7)


def test_a_clock_that_jumps_ends_no_watch(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for jump in (dt.timedelta(minutes=-30), dt.timedelta(minutes=30), dt.timedelta(days=400)):
        at = dt.datetime.now(SHANGHAI) + jump
        heartbeat.beat(settings, Heartbeat(7, at, 0.2, 3))
        assert not heartbeat.is_hung(settings, 7)
        # One that hangs is found whatever its clock said.
        uptime_seconds = time.monotonic() - HUNG_AFTER.total_seconds() - 1
        heartbeat.beat(settings, Heartbeat(7, at, 0.2, 3, uptime_seconds=uptime_seconds))
        assert heartbeat.is_hung(settings, 7)


def test_a_beat_from_before_the_machine_started_says_nothing(settings: Settings, age_seconds: list[float]) -> None:
    heartbeat.beat(settings, Heartbeat(7, dt.datetime.now(SHANGHAI), 0.2, 3, uptime_seconds=time.monotonic() + 9_000))
    assert not heartbeat.is_hung(settings, 7)
    age_seconds[0] = HUNG_AFTER.total_seconds() + 1
    assert heartbeat.is_hung(settings, 7)


def test_a_watch_that_never_beats_hangs_once_it_has_run_for_long(settings: Settings, age_seconds: list[float]) -> None:
    assert not heartbeat.is_hung(settings, 7)
    age_seconds[0] = HUNG_AFTER.total_seconds() + 1
    assert heartbeat.is_hung(settings, 7)
    beat(settings)
    assert not heartbeat.is_hung(settings, 7)
    assert heartbeat.is_hung(settings, 8)


def test_only_a_watch_that_does_not_beat_any_more_hangs(settings: Settings) -> None:
    assert not heartbeat.is_hung(settings, 7)
    beat(settings, ago=HUNG_AFTER - dt.timedelta(seconds=10))
    assert not heartbeat.is_hung(settings, 7)
    beat(settings, ago=HUNG_AFTER + dt.timedelta(seconds=1))
    assert heartbeat.is_hung(settings, 7)
    # Another process, which has just started.
    assert not heartbeat.is_hung(settings, 8)
    # A watch that is still going is not ended.
    beat(settings)
    assert not heartbeat.is_hung(settings, 7)


def test_the_check_of_a_container_says_whether_it_beats(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREEGAPS_HOME", str(settings.home))
    assert heartbeat.main() == 1
    beat(settings)
    assert heartbeat.main() == 0
    beat(settings, ago=dt.timedelta(minutes=5))
    assert heartbeat.main() == 1


def test_the_health_check_of_a_container_loads_no_driver_of_a_warehouse() -> None:
    said = "import sys, threegaps.watch.heartbeat; print('psycopg' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
