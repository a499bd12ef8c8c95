"""One form for every moment: the province's clock, with its zone, whatever the machine's own zone."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator

import pytest

from threegaps.one_machine import programs
from threegaps.standards.moments import clock


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Shanghai"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_a_moment_is_written_by_the_provinces_clock(zone: str) -> None:
    moment = dt.datetime(2026, 6, 30, 1, 2, 3, tzinfo=dt.UTC)
    assert clock(moment) == "2026-06-30 09:02 +08:00"
    assert clock(moment, with_seconds=True) == "2026-06-30 09:02:03 +08:00"


def test_a_line_of_our_log_begins_by_the_same_clock(zone: str, capsys: pytest.CaptureFixture[str]) -> None:
    programs.say("postgres: running")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+08:00 postgres: running\n", capsys.readouterr().err)
