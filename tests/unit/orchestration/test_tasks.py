"""What tasks make of deliveries, of nothing, and of errors."""

from __future__ import annotations

import datetime as dt
import sys
import time
import traceback
import types
from typing import Any

import pytest
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
    AirflowTaskTimeout,
)

import threegaps
from threegaps.errors import FeedError, LedgerError, SourceUnavailableError, StillBeingWrittenError
from threegaps.feed_run.attempting import Run
from threegaps.orchestration import tasks


@pytest.fixture
def feed_run(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A stand-in for the feed run that remembers what it was asked."""
    calls: list[tuple[str, str]] = []
    runs: list[Run] = []
    double = types.SimpleNamespace(calls=calls, runs=runs, answer=[1], error=None, Run=Run)

    def act(feed: str, delivery: str, run: Run) -> list[int]:
        calls.append((feed, delivery))
        runs.append(run)
        if double.error:
            raise double.error
        return list(double.answer)

    double.land = double.load = act
    double.counts_of = lambda batches: {"received": 10 * len(batches), "accepted": 9, "refused": 1}
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
    tasks.land("hrss/wage_records", "month", "2026-06", run_id="manual__1", try_number=3)
    assert feed_run.runs[-1] == Run("manual__1", 3)


def test_the_event_of_a_load_says_batches_and_counts(feed_run: Any) -> None:
    feed_run.answer = [7, 9]
    assert tasks.load("hrss/wage_records", "month", "2026-06") == {
        "delivery": "2026-06",
        "batches": [7, 9],
        "batch_count": 2,
        "received": 20,
        "accepted": 9,
        "refused": 1,
    }
    feed_run.answer = list(range(1, 501))
    said = tasks.load("hrss/wage_records", "month", "2026-06")
    assert said["batch_count"] == 500
    assert said["batches"] == list(range(401, 501))


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


RECEIVED = "33990019900101001X"


@pytest.mark.parametrize(
    "error",
    [
        FeedError("no header"),
        SourceUnavailableError("no answer"),
        StillBeingWrittenError("not left alone yet"),
        LedgerError("the warehouse went away"),
        AirflowTaskTimeout(),
        ValueError(f"the row {RECEIVED}"),
        AirflowException(f"a hook quotes {RECEIVED}"),
    ],
)
def test_no_error_of_a_library_goes_into_the_log_of_a_task(feed_run: Any, error: BaseException) -> None:
    def fail(*_: object) -> list[int]:
        try:
            return [int(RECEIVED)]
        except ValueError as cause:
            raise error from cause

    feed_run.land = fail
    with pytest.raises(BaseException) as raised:  # noqa: PT011  # which one is not what is asked here
        tasks.land("hrss/wage_records", "month", "2026-06")
    shown = "".join(traceback.format_exception(raised.value))
    assert RECEIVED not in shown
    # Where it came up is still seen, but for what a task ends with on purpose.
    assert "in fail" in shown or isinstance(raised.value, AirflowRescheduleException)


def test_a_file_that_makes_no_sense_is_not_tried_again(feed_run: Any) -> None:
    feed_run.error = FeedError("no header", feed="hrss/wage_records", file="wage.csv", advice="ask for it again.")
    with pytest.raises(AirflowFailException, match=r"file wage\.csv.*ask for it again"):
        tasks.load("hrss/wage_records", "month", "2026-06")


PARTS = (
    "fail_stale_builds",
    "mark_cut_off_attempts",
    "enter_expected",
    "end_overlong_readers",
    "restore_reader_logins",
)


@pytest.mark.parametrize("broken", [*PARTS, None])
def test_what_fails_in_one_part_of_the_upkeep_keeps_none_of_the_others(
    broken: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def act(part: str) -> None:
        with tasks.plain_errors():
            if part == broken:
                raise LedgerError("The ledger is at another version.")
        done.append(part)

    for part in PARTS:
        monkeypatch.setattr(tasks, part, lambda *_, part=part: act(part))
    if broken is None:
        tasks.put_in_order(360)
    else:
        with pytest.raises(LedgerError, match="another version"):
            tasks.put_in_order(360)
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert "The ledger is at another version." in caplog.text
    assert done == [part for part in PARTS if part != broken]


def test_a_part_that_hangs_is_ended_and_the_next_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    with pytest.raises(AirflowTaskTimeout):
        tasks.do_each([("wait", lambda: time.sleep(30)), ("go on", lambda: done.append("on"))], seconds=0.05)
    assert done == ["on"]


def test_parts_that_another_try_may_mend_decide_whether_there_is_one() -> None:
    def fail(error: Exception) -> Any:
        def part() -> None:
            with tasks.plain_errors():
                raise error

        return part

    for_good, may_pass = fail(FeedError("It makes no sense.")), fail(LedgerError("It does not answer."))
    with pytest.raises(LedgerError):
        tasks.do_each([("read", for_good), ("write", may_pass)])
    with pytest.raises(AirflowFailException):
        tasks.do_each([("read", for_good)])
