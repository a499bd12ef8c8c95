"""What a pass reads of the ledger: stopped batches, past deliveries, steps that fail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from threegaps.calendar import Delivery
from threegaps.ledger.batches import SHRUNK, SUMS_OF_BATCHES
from threegaps.ledger.decisions import record_acceptance
from threegaps.settings import SHANGHAI
from threegaps.watch import reading_ledger
from threegaps.watch.alerts import Alerts
from threegaps.watch.gathering import gather
from threegaps.watch.looks import batches

pytestmark = pytest.mark.integration


@pytest.fixture
def connection(shared_warehouse: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(shared_warehouse, autocommit=True) as opened:
        opened.execute("truncate ops.batch, ops.feed, ops.attempt, ops.build cascade")
        know(opened, "hrss/wage_records", "full_period")
        yield opened


def know(connection: psycopg.Connection[tuple[object, ...]], feed: str, delivery_kind: str) -> None:
    connection.execute(
        "insert into ops.feed (feed, delivery_kind, first_day, title_zh, title_en, connection_id, cadence, due_day)"
        " values (%s, %s, '2026-01-01', '', '', 'hrss_sftp', 'month', '20')",
        [feed, delivery_kind],
    )


def enter(
    connection: psycopg.Connection[tuple[object, ...]],
    delivery: str,
    *,
    status: str = "loaded",
    received: int = 1000,
    feed: str = "hrss/wage_records",
    is_complete: bool = True,
    part: str = "part0001",
) -> int:
    when = Delivery.of_key(delivery)
    row = connection.execute(
        "insert into ops.batch (feed, delivery, delivery_start, delivery_end, status, contract_hash, code_version,"
        " pseudonym_key_version,"
        " physical_lines, structural, received, accepted, refused, duplicates, inserted, changed, unchanged,"
        " withdrawn, message_en, message_zh, finished_at, is_complete)"
        " values (%s, %s, %s, %s, %s, 'h', '1', '1', %s, 0, %s, %s, 0, 0, %s, 0, 0, 0,"
        " 'too many refused', '退回过多', now(), %s) returning batch_id",
        [feed, delivery, when.start, when.end, status, *[received] * 4, is_complete],
    ).fetchone()
    assert row is not None
    batch_id = int(str(row[0]))
    connection.execute(
        "with landed as (insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri,"
        " size_bytes, sha256, is_correction) select %(feed)s, %(delivery)s, %(part)s, 1 + count(*), 'c', 'u', 1,"
        " repeat('0', 64), starts_with(%(part)s, 'correction') from ops.landed_object where feed = %(feed)s"
        " and delivery = %(delivery)s and part = %(part)s returning landed_object_id)"
        " insert into ops.batch_object select %(batch)s, landed_object_id from landed",
        {"feed": feed, "delivery": delivery, "part": part, "batch": batch_id},
    )
    return batch_id


def stopped_batches(connection: psycopg.Connection[tuple[object, ...]]) -> list[int]:
    return [one.batch_id for one in reading_ledger.read(connection).stopped]


def rows(connection: psycopg.Connection[tuple[object, ...]], feed: str = "hrss/wage_records") -> list[int]:
    """Rows of the deliveries that a feed is compared by, the newest first."""
    (history,) = [one for one in reading_ledger.read(connection).histories if one.feed == feed]
    return [one.received for one in history.deliveries]


def shrinks(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    return bool(batches.shrinking(reading_ledger.read(connection).histories, {}))


@pytest.mark.parametrize("how", ["stopped", "failed"])
def test_a_feed_stands_until_a_newer_batch_goes_through(
    how: str, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    enter(connection, "2026-04")
    stopped = enter(connection, "2026-05", status=how)
    (seen,) = reading_ledger.read(connection).stopped
    assert (seen.batch_id, seen.message_en, seen.message_zh) == (stopped, "too many refused", "退回过多")
    enter(connection, "2026-05")
    assert stopped_batches(connection) == []


@pytest.mark.parametrize(("received", "is_shrinking"), [(800, False), (799, True)])
def test_a_feed_shrinks_below_four_fifths(
    received: int, is_shrinking: bool, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    enter(connection, "2026-04", received=1000)
    enter(connection, "2026-05", received=received)
    assert (rows(connection), shrinks(connection)) == ([received, 1000], is_shrinking)


def test_a_delivery_that_somebody_has_accepted_shrinks_no_feed(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    enter(connection, "2026-04", received=1000)
    accepted = enter(connection, "2026-05", received=300)
    assert shrinks(connection)
    (decision,) = connection.execute("select max(landed_object_id) from ops.landed_object").fetchone() or (None,)
    record_acceptance(
        connection,
        landed_object_id=int(str(decision)),
        batch_id=accepted,
        rules=[SHRUNK],
        accepted_by="an officer",
        reason="notice 12",
        accepted_at=dt.datetime.now(SHANGHAI),
    )
    assert not shrinks(connection)
    enter(connection, "2026-06", received=100)
    assert shrinks(connection)


def test_a_delivery_counts_as_it_was_sent_last_and_corrections_not_at_all(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    enter(connection, "2026-04", received=1000)
    enter(connection, "2026-04", received=900)
    enter(connection, "2026-05", received=850)
    enter(connection, "2026-05", received=7, part="correction0001")
    assert (rows(connection), shrinks(connection)) == ([850, 900], False)


def test_a_correction_is_no_delivery_and_hides_no_failed_one(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    enter(connection, "2026-04", part="part0001")
    failed = enter(connection, "2026-05", status="failed", part="part0001")
    enter(connection, "2026-05", part="correction0001")
    assert stopped_batches(connection) == [failed]
    stopped = enter(connection, "2026-05", status="stopped", part="correction0002")
    enter(connection, "2026-05", part="part0001")
    assert stopped_batches(connection) == [stopped]
    enter(connection, "2026-05", part="correction0002")
    assert stopped_batches(connection) == []


def test_totals_of_a_feed_are_those_of_all_its_loaded_batches(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    for delivery, status, received in (
        ("2026-04", "superseded", 1000),
        ("2026-04", "loaded", 990),
        ("2026-04", "loaded", 900),
        ("2026-05", "stopped", 80),
    ):
        enter(connection, delivery, status=status, received=received)
    (totals,) = connection.cursor(row_factory=dict_row).execute(SUMS_OF_BATCHES).fetchall()
    named = {name: totals[name] for name in ("feed", "batches", "stopped", "received", "accepted", "last_delivery")}
    assert named == {
        "feed": "hrss/wage_records",
        "batches": 2,
        "stopped": 1,
        "received": 990 + 900,
        "accepted": 990 + 900,
        "last_delivery": "2026-04",
    }
    assert rows(connection) == [900]


def test_rows_compare_within_a_cadence(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    enter(connection, "2026Q1", received=3000)
    enter(connection, "2026Q2", received=3100)
    assert rows(connection) == [3100, 3000]
    enter(connection, "2026-07", received=1000)
    assert (rows(connection), shrinks(connection)) == ([1000], False), "no month is a third of a quarter for nothing"
    enter(connection, "2026-08", received=700)
    assert (rows(connection), shrinks(connection)) == ([700, 1000], True)
    know(connection, "hrss/list", "full_list")
    enter(connection, "2026Q2", received=1000, feed="hrss/list")
    enter(connection, "2026-12", received=700, feed="hrss/list")
    assert rows(connection, "hrss/list") == [700, 1000]


def test_changes_have_no_usual_number_of_rows(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    feed = "hrss/certificates"
    know(connection, feed, "changes")
    enter(connection, "2026-05-30", received=1000, feed=feed)
    enter(connection, "2026-05-31", received=1, feed=feed)
    assert (rows(connection, feed), shrinks(connection)) == ([1, 1000], False)


def test_a_step_that_fails_names_its_connection_and_one_without_a_contract_is_left_out(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    for feed in ("hrss/wage_records", "gone/feed"):
        connection.execute(
            "insert into ops.attempt (feed, step, delivery, outcome, cause, ended_at)"
            " values (%s, 'land', '2026-05', 'failed', 'unreachable', now())",
            [feed],
        )
    (failed,) = reading_ledger.read(connection).failed
    assert (failed.feed, failed.connection_id, failed.failures) == ("hrss/wage_records", "hrss_sftp", 1)


def test_what_was_read_is_shown_and_not_asked_again(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    reading = reading_ledger.read(connection)
    asked: list[str] = []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(connection, name)

        def execute(self, query: Any, *rest: Any) -> Any:
            asked.append(query if isinstance(query, str) else query.decode())
            return connection.execute(query, *rest)

    now = dt.datetime.now(SHANGHAI)
    found = gather(Counting(), reading, Alerts(), [], now)  # type: ignore[arg-type]
    assert [feed.feed for feed in found.feeds] == ["hrss/wage_records"]
    assert len(asked) > 3
    assert not [query for query in asked if "expected_delivery" in query or "ops.attempt" in query]


def test_a_build_fails_since_the_last_release_or_undo(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    def enter_build(status: str, failure: str | None = None, message: str | None = None) -> int:
        row = connection.execute(
            "insert into ops.build (status, kind, as_of, finished_at, failure, message)"
            " values (%s, 'full', current_date, now(), %s, %s) returning build_id",
            [status, failure, message],
        ).fetchone()
        assert row is not None
        return int(str(row[0]))

    def failed() -> tuple[int, bool, str, int, bool] | None:
        found = reading_ledger.read(connection).build
        return found and (found.build_id, found.is_held, found.message, found.builds, found.is_taken_up)

    assert failed() is None
    enter_build("failed", "build", "before")
    enter_build("released")
    assert failed() is None
    enter_build("failed", "build", "one")
    last = enter_build("failed", "check", "two")
    assert failed() == (last, True, "two", 2, False)
    running = enter_build("running")
    assert failed() == (last, True, "two", 2, True)
    for status in ("claimed", "built"):
        connection.execute("update ops.build set status = %s where build_id = %s", [status, running])
        assert failed() == (last, True, "two", 2, True)
    enter_build("failed", "undo")
    assert failed() is None
    last = enter_build("failed", "build")
    assert failed() == (last, False, "", 1, False)


def send_whole(connection: psycopg.Connection[tuple[object, ...]], rows: int, gone: int = 0) -> int:
    """A whole and complete sending of one month, which took so many rows away."""
    batch = enter(connection, "2026-04", received=rows)
    connection.execute(
        "update ops.batch set is_whole = true, order_number = batch_id, closed_by_absence = %s where batch_id = %s",
        [gone, batch],
    )
    return batch


def rows_gone(connection: psycopg.Connection[tuple[object, ...]]) -> list[str]:
    return [cause.title_en for cause in batches.rows_gone(reading_ledger.read(connection).sent_again, [], {})]


@pytest.mark.parametrize("kind", ["feed_shrinking", "feed_rows_gone"])
def test_what_somebody_resolved_is_not_asked_again_under_another_name(
    kind: str, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    send_whole(connection, 1000)
    cut = send_whole(connection, 700, gone=300)
    assert "300 of 1,000" in rows_gone(connection)[0]
    connection.execute("truncate ops.incident cascade")
    try:
        connection.execute(
            "insert into ops.incident (cause_key, kind, gravity, feeds, title_zh, title_en, detail_zh, detail_en,"
            " occasions, indicator_codes, marts, opened_at, last_seen_at, closed_at, closed_by, resolution)"
            " values (%s, %s, 'warning', '{}', '', '', '', '', %s, '{}', '{}', now(), now(), now(), 'li', 'meant')",
            # What no number is says nothing of a batch, and fails nothing.
            [f"{kind}:hrss/wage_records", kind, [str(cut), "None", "x", "9" * 30]],
        )
        assert rows_gone(connection) == []
        connection.execute("update ops.incident set closed_by = 'watch'")
        assert len(rows_gone(connection)) == 1
    finally:
        connection.execute("truncate ops.incident cascade")


@pytest.mark.parametrize(
    "column", ["order_number", "accepted", "refused", "inserted", "changed", "closed_by_absence", "finished_at"]
)
def test_a_sending_that_was_not_counted_says_nothing_and_fails_nothing(
    column: str, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    send_whole(connection, 1000)
    cut = send_whole(connection, 700, gone=300)
    connection.execute(f"update ops.batch set {column} = null where batch_id = %s".encode(), [cut])
    assert rows_gone(connection) == []


def test_what_was_sent_long_ago_is_read_while_its_incident_is_open(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    send_whole(connection, 1000)
    send_whole(connection, 700, gone=300)
    connection.execute("update ops.batch set finished_at = now() - interval '3 years'")
    assert rows_gone(connection) == []
    connection.execute(
        "insert into ops.incident (cause_key, kind, gravity, feeds, title_zh, title_en, detail_zh, detail_en,"
        " occasions, indicator_codes, marts, opened_at, last_seen_at) values"
        " ('feed_rows_gone:hrss/wage_records 2026-04', 'feed_rows_gone', 'warning', '{}', '', '', '', '', '{}', '{}',"
        " '{}', now(), now())"
    )
    try:
        assert len(rows_gone(connection)) == 1
    finally:
        connection.execute("truncate ops.incident cascade")


def test_what_held_feeds_up_until_a_moment_ago_is_read(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    closed = (("feed_unreachable", 14), ("feed_unreachable", 16), ("build_failed", 1), ("feed_late", 1))
    connection.execute("truncate ops.incident cascade")
    try:
        for number, (kind, minutes) in enumerate(closed):
            connection.execute(
                "insert into ops.incident (cause_key, kind, gravity, feeds, title_zh, title_en, detail_zh, detail_en,"
                " occasions, indicator_codes, marts, opened_at, last_seen_at, closed_at, closed_by)"
                " values (%s, %s, 'warning', '{hrss/wage_records}', '', '', '', '', '{}', '{}', '{}',"
                " now() - interval '1 hour', now(), now() - make_interval(mins => %s), 'watch')",
                [f"{kind}:{number}", kind, minutes],
            )
        (found,) = reading_ledger.read(connection).just_closed
        assert (found.cause_key, found.feeds) == ("feed_unreachable:0", ["hrss/wage_records"])
    finally:
        connection.execute("truncate ops.incident cascade")
