"""On which days the feeds run when the stand-in departments' time goes on, and up to which delivery."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

import pytest

from threegaps.contracts.loader import load_contracts
from threegaps.errors import ServiceError
from threegaps.home import account
from threegaps.home.sandbox_day import sandbox_day
from threegaps.one_machine.departments import Consigned
from threegaps.orchestration.advancing import Step, advance, steps
from threegaps.orchestration.first_run import newest_delivery
from threegaps.settings import Settings

WANTED = {"hrss/wage_records", "hrss/skill_enterprises", "hrss/certificates"}
FEEDS = [one for one in load_contracts(Settings.load().contracts_folder) if one.feed in WANTED]
JUNE_30, JULY_31 = dt.date(2026, 6, 30), dt.date(2026, 7, 31)


def consigned(day: dt.date, feed: str, came: str) -> Consigned:
    return Consigned(day, feed, "2026-07", "", "late", came)


def test_a_month_ends_with_its_feeds_and_the_daily_ones() -> None:
    assert steps(FEEDS, JUNE_30, JULY_31, []) == [
        Step(JULY_31, (("hrss/certificates", "2026-07-31"), ("hrss/wage_records", "2026-07")))
    ]


def test_a_few_days_bring_only_the_daily_feeds() -> None:
    assert steps(FEEDS, JUNE_30, dt.date(2026, 7, 9), []) == [
        Step(dt.date(2026, 7, 9), (("hrss/certificates", "2026-07-09"),))
    ]


def test_what_comes_later_has_a_run_of_its_day_and_what_does_not_come_has_none() -> None:
    late, never = dt.date(2026, 8, 4), dt.date(2026, 8, 7)
    found = steps(
        FEEDS,
        JULY_31,
        dt.date(2026, 8, 20),
        [consigned(late, "hrss/wage_records", "right"), consigned(never, "hrss/wage_records", "not")],
    )
    assert found == [
        Step(late, (("hrss/wage_records", "2026-07"),)),
        Step(dt.date(2026, 8, 20), (("hrss/certificates", "2026-08-20"),)),
    ]


def test_quarters_end_with_their_last_month_and_no_delivery_is_left_out() -> None:
    found = steps(FEEDS, JUNE_30, dt.date(2026, 9, 30), [])
    assert [step.day for step in found] == [JULY_31, dt.date(2026, 8, 31), dt.date(2026, 9, 30)]
    assert [key for step in found for feed, key in step.runs if feed == "hrss/wage_records"] == [
        "2026-07",
        "2026-08",
        "2026-09",
    ]
    assert ("hrss/skill_enterprises", "2026Q3") in found[-1].runs
    assert steps(FEEDS, JUNE_30, JUNE_30, []) == []


def test_a_feed_without_a_contract_is_not_run() -> None:
    assert steps(FEEDS, JULY_31, JULY_31, [consigned(JULY_31, "hrss/other", "right")]) == []


@pytest.mark.parametrize(
    ("day", "wages", "roster"),
    [("2026-06-30", "2026-06", "2026Q2"), ("2026-07-15", "2026-06", "2026Q2"), ("2026-09-30", "2026-09", "2026Q3")],
)
def test_the_newest_delivery_has_ended_by_the_sandboxes_day(tmp_path: Path, day: str, wages: str, roster: str) -> None:
    settings = Settings.load({"THREEGAPS_HOME": str(tmp_path), "THREEGAPS_SANDBOX": "1"})
    assert sandbox_day(settings) == JUNE_30
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "clock.json").write_text(json.dumps({"day": day}), "ascii")
    newest = {one.feed: newest_delivery(one, settings) for one in FEEDS}
    assert newest == {"hrss/certificates": day, "hrss/wage_records": wages, "hrss/skill_enterprises": roster}


def test_two_do_not_move_the_departments_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREEGAPS_HOME", str(tmp_path))
    settings = Settings.load()
    lock = account.try_lock(settings, "advance")
    assert lock is not None
    try:
        with pytest.raises(ServiceError, match="under way"):
            advance(settings, JULY_31, lambda _: None)
    finally:
        os.close(lock)
    assert not account.is_running(settings), "another lock than the services'"
