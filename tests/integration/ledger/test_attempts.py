"""Attempts in the ledger: how they end, which were cut off, and since when a feed fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from threegaps.cli.app import app
from threegaps.errors import FeedError, SourceUnavailableError
from threegaps.ledger import attempts
from threegaps.ledger.attempts import Begun, Failure
from threegaps.settings import Settings
from threegaps.warehouse.sessions import feed_lock

FEED = "hrss/wage_records"
DEAD = Failure("unreachable", "cannot be reached: connection refused.", "无法连接:连接被拒绝。", "192.0.2.7", 2222)


@pytest.fixture
def ledger(warehouse: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        yield connection


def begin(ledger: psycopg.Connection[Any], feed: str = FEED, **named: Any) -> Begun:
    return attempts.begin(ledger, feed=feed, step=named.pop("step", "land"), delivery="2026-06", **named)


def test_an_attempt_says_how_it_ended(ledger: psycopg.Connection[Any]) -> None:
    attempts.end(ledger, begin(ledger, run_id="manual__1", try_number=2), "failed", DEAD)
    (found,) = attempts.latest_attempts(ledger, FEED)
    assert (found.outcome, found.cause, found.host, found.port) == ("failed", "unreachable", "192.0.2.7", 2222)
    assert (found.run_id, found.try_number, found.landed_objects) == ("manual__1", 2, 0)
    assert found.message_en == DEAD.message_en
    assert found.message_zh == DEAD.message_zh
    assert found.ended_at is not None
    assert found.ended_at >= found.started_at


def test_the_same_try_of_the_same_run_is_another_attempt(ledger: psycopg.Connection[Any]) -> None:
    for _ in range(2):
        attempts.end(ledger, begin(ledger, run_id="manual__1", try_number=1), "failed", DEAD)
    assert len(attempts.latest_attempts(ledger, FEED)) == 2


def test_the_list_says_how_many_there_are(
    ledger: psycopg.Connection[Any], warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda _: warehouse)
    for _ in range(5):
        attempts.end(ledger, begin(ledger), "failed", DEAD)
    attempts.end(ledger, begin(ledger, feed="hrss/certificates"), "failed", DEAD)
    said = CliRunner().invoke(app, ["feeds", "attempts", FEED, "--limit", "2"]).output
    assert "2 of 5 are shown" in said
    assert "2 of 6 are shown" in CliRunner().invoke(app, ["feeds", "attempts", "--limit", "2"]).output


def test_one_that_makes_nothing_found_nothing_new(ledger: psycopg.Connection[Any]) -> None:
    attempts.end(ledger, begin(ledger))
    begun = begin(ledger)
    ledger.execute(
        "insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri, size_bytes, sha256)"
        " values (%s, '2026-06', '1', 1, 'a.csv', 'file:///a', 1, repeat('0', 64)),"
        " ('civil/other', '2026-06', '1', 1, 'b.csv', 'file:///b', 1, repeat('0', 64))",
        [FEED],
    )
    attempts.end(ledger, begun)
    newest, oldest = attempts.latest_attempts(ledger, FEED)
    assert (newest.outcome, newest.landed_objects) == ("succeeded", 1)
    assert (oldest.outcome, oldest.landed_objects) == ("nothing_new", 0)


def test_failures_in_a_row_are_counted_since_the_last_one_that_was_none(ledger: psycopg.Connection[Any]) -> None:
    attempts.end(ledger, begin(ledger), "failed", DEAD)
    attempts.end(ledger, begin(ledger))
    assert not attempts.failing_since(ledger)
    first = begin(ledger)
    attempts.end(ledger, first, "failed", Failure("timed_out", "no answer", "无答复"))
    for _ in range(2):
        attempts.end(ledger, begin(ledger), "failed", DEAD)
    attempts.end(ledger, begin(ledger, "civil/other", step="load"), "failed", Failure("stopped", "stopped", "拦停"))
    other, failing = attempts.failing_since(ledger)
    assert (failing.feed, failing.step, failing.failures) == (FEED, "land", 3)
    assert (failing.cause, failing.host, failing.port) == ("unreachable", "192.0.2.7", 2222)
    started = {row.attempt_id: row.started_at for row in attempts.latest_attempts(ledger)}
    assert failing.since == started[first.attempt_id]
    assert failing.last_at == max(row.started_at for row in attempts.latest_attempts(ledger, FEED))
    assert (other.feed, other.step, other.cause) == ("civil/other", "load", "stopped")
    assert [row.feed for row in attempts.failing_since(ledger, FEED)] == [FEED]
    # Waiting for a file, the department has been reached.
    attempts.end(ledger, begin(ledger), "waiting", Failure("being_written", "still written", "仍在写入"))
    assert not attempts.failing_since(ledger, FEED)


def test_the_next_attempt_marks_one_that_never_ended(ledger: psycopg.Connection[Any]) -> None:
    begin(ledger)
    attempts.end(ledger, begin(ledger), "failed", DEAD)
    failed, cut_off = attempts.latest_attempts(ledger, FEED)
    assert (cut_off.outcome, failed.outcome) == ("cut_off", "failed")
    assert cut_off.cause is None
    assert cut_off.message_zh
    assert attempts.failing_since(ledger)[0].failures == 2


def test_the_watch_marks_those_without_their_lock_and_no_others(
    warehouse: str, ledger: psycopg.Connection[Any]
) -> None:
    with psycopg.connect(warehouse, autocommit=True) as worker, feed_lock(worker, FEED, step="land"):
        alive = begin(worker)
        begin(ledger, step="load")
        begin(ledger, "civil/other")
        assert attempts.mark_cut_off(ledger) == []  # they have only just begun
        ledger.execute("update ops.attempt set started_at = started_at - interval '1 minute'")
        marked = {row[:2] for row in attempts.mark_cut_off(ledger)}
        assert marked == {(FEED, "load"), ("civil/other", "land")}
        assert attempts.mark_cut_off(ledger) == []
        attempts.end(worker, alive)
    states = {(row.feed, row.step): row.outcome for row in attempts.latest_attempts(ledger)}
    assert states == {(FEED, "land"): "nothing_new", (FEED, "load"): "cut_off", ("civil/other", "land"): "cut_off"}


def test_one_that_was_taken_for_cut_off_is_set_right(ledger: psycopg.Connection[Any]) -> None:
    begun = begin(ledger)
    ledger.execute("update ops.attempt set started_at = started_at - interval '1 minute'")
    assert len(attempts.mark_cut_off(ledger)) == 1
    attempts.end(ledger, begun, "failed", DEAD)
    (found,) = attempts.latest_attempts(ledger, FEED)
    assert (found.outcome, found.cause) == ("failed", "unreachable")


def test_an_error_is_said_with_its_place_and_without_a_library_s_words() -> None:
    ours = FeedError("It has no header.", feed=FEED, file="a.csv", row=3, column="wage")
    assert attempts.failure_of(ours).message_en == "file a.csv, row 3, column wage: It has no header."
    assert attempts.failure_of(ours).message_zh == "文件 a.csv, 行 3, 列 wage:到达的内容不符合合同:It has no header."
    dead = SourceUnavailableError(
        "It cannot be reached.", connection_id="hrss_sftp", message_zh="无法连接。", host="192.0.2.7", port=22
    )
    said = attempts.failure_of(dead)
    assert (said.message_en, said.message_zh) == (
        "connection hrss_sftp: It cannot be reached.",
        "连接 hrss_sftp:无法连接。",
    )
    assert (said.cause, said.host, said.port) == ("unreachable", "192.0.2.7", 22)
    named = attempts.failure_of(FeedError("It is cut off.", file="connection list.csv", message_zh="不完整。"))
    assert (named.message_en, named.message_zh) == ("file connection list.csv: It is cut off.",
                                                    "文件 connection list.csv:不完整。")  # fmt: skip
    foreign = attempts.failure_of(ValueError("331002199001011234"))
    assert foreign.cause == "unexpected"
    assert "331002" not in foreign.message_en + foreign.message_zh
