"""What tasks make of deliveries, of nothing, and of errors."""

from __future__ import annotations

import datetime as dt
import sys
import types
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException, AirflowSkipException

import threegaps
from threegaps.errors import FeedError, SourceUnavailableError, StillBeingWrittenError
from threegaps.orchestration import tasks


@pytest.fixture
def feed_run(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A stand-in for the feed run that remembers what it was asked."""
    calls: list[tuple[str, str]] = []
    double = types.SimpleNamespace(calls=calls, answer=[1], error=None)

    def act(feed: str, delivery: str) -> list[int]:
        calls.append((feed, delivery))
        if double.error:
            raise double.error
        return list(double.answer)

    double.land = double.load = act
    monkeypatch.setitem(sys.modules, "threegaps.feed_run", double)
    monkeypatch.setattr(threegaps, "feed_run", double, raising=False)
    return double


@pytest.mark.parametrize("task", [tasks.land, tasks.load])
@pytest.mark.parametrize("key", [None, "", "2026-06-03", "build"])
def test_a_run_without_its_delivery_fails_at_once(task: Any, key: str | None, feed_run: Any) -> None:
    with pytest.raises(AirflowFailException, match="delivery of a feed that comes by month"):
        task("hrss/wage_records", "month", key)
    assert feed_run.calls == []


def test_the_delivery_is_handed_on(feed_run: Any) -> None:
    tasks.land("hrss/wage_records", "month", "2026-06")
    tasks.load("hrss/wage_records", "month", "2026-06")
    assert feed_run.calls == [("hrss/wage_records", "2026-06")] * 2


def test_nothing_to_load_is_a_skip_without_an_event(feed_run: Any) -> None:
    feed_run.answer = []
    tasks.land("hrss/wage_records", "month", "2026-06")
    with pytest.raises(AirflowSkipException, match="nothing new to load up to delivery 2026-06"):
        tasks.load("hrss/wage_records", "month", "2026-06")


def test_a_file_that_is_still_being_written_is_looked_at_again_soon(feed_run: Any) -> None:
    feed_run.error = StillBeingWrittenError("not left alone yet", feed="hrss/wage_records")
    with pytest.raises(AirflowRescheduleException) as told:
        tasks.land("hrss/wage_records", "month", "2026-06")
    wait = told.value.reschedule_date - dt.datetime.now(dt.UTC)
    assert dt.timedelta(0) < wait <= tasks.LOOK_AGAIN_AFTER


def test_a_department_that_does_not_answer_is_tried_again(feed_run: Any) -> None:
    feed_run.error = SourceUnavailableError("no answer", feed="hrss/wage_records")
    with pytest.raises(SourceUnavailableError):
        tasks.land("hrss/wage_records", "month", "2026-06")


def test_a_file_that_makes_no_sense_is_not_tried_again(feed_run: Any) -> None:
    feed_run.error = FeedError("no header", feed="hrss/wage_records", file="wage.csv", advice="ask for it again.")
    with pytest.raises(AirflowFailException, match=r"file wage\.csv.*ask for it again"):
        tasks.load("hrss/wage_records", "month", "2026-06")
