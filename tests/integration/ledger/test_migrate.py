"""The ledger's schema: made once, checked always."""

from __future__ import annotations

import re
import threading
import time

import psycopg
import pytest

from threegaps.errors import LedgerError
from threegaps.ledger import migrate
from threegaps.ledger.batches import BATCH_STATUSES
from threegaps.ledger.migrate import KNOWN_VERSION, check_schema, upgrade

pytestmark = pytest.mark.integration


def test_two_processes_upgrade_at_once_and_again_is_a_no_op(empty_database: str) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            upgrade(empty_database)
        except BaseException as error:  # noqa: BLE001  # handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    upgrade(empty_database)
    check_schema(empty_database)
    with psycopg.connect(empty_database) as connection:
        rows = connection.execute("select version_num from ops.alembic_version").fetchall()
        schemas = {row[0] for row in connection.execute("select nspname from pg_namespace")}
        roles = {row[0] for row in connection.execute("select rolname from pg_roles")}
    assert rows == [(KNOWN_VERSION,)]
    assert {"ops", "raw", "raw_history", "quarantine", "staging", "core", "build", "marts", "history"} <= schemas
    assert {"pipeline", "bi_reader", "county_reader"} <= roles


def test_a_task_refuses_a_version_that_it_does_not_know(empty_database: str) -> None:
    with pytest.raises(LedgerError, match="no ledger yet"):
        check_schema(empty_database)
    upgrade(empty_database)
    with psycopg.connect(empty_database) as connection:
        connection.execute("update ops.alembic_version set version_num = '9999'")
    with pytest.raises(LedgerError, match="9999"):
        check_schema(empty_database)
    with pytest.raises(LedgerError, match="9999"):
        upgrade(empty_database)


def test_why_builds_failed_is_read_from_their_sentences_once(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentences = {
        "not released: row_count: fewer": ("check", "row_count: fewer"),
        "undone by release 7: wrong": ("undo", "undone by release 7: wrong"),
        "Its process is gone; its claims are free again.": ("left", "Its process is gone; its claims are free again."),
        "2 models or tests failed: m": ("build", "2 models or tests failed: m"),
        None: ("build", None),
    }
    with monkeypatch.context() as before:
        before.setattr(migrate, "KNOWN_VERSION", "0016")
        upgrade(empty_database)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        for message in sentences:
            connection.execute(
                "insert into ops.build (status, kind, as_of, message) values ('failed', 'full', now(), %s)", [message]
            )
        connection.execute("insert into ops.build (status, kind, as_of) values ('released', 'full', now())")
        upgrade(empty_database)
        rows = connection.execute("select failure, message from ops.build order by build_id").fetchall()
    assert rows == [*sentences.values(), (None, None)]


def test_what_others_hold_is_waited_for_and_then_named(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(migrate, "KNOWN_VERSION", "0021")
        upgrade(empty_database)
    monkeypatch.setattr(migrate, "_PATIENCE_SECONDS", 1)
    with psycopg.connect(empty_database, application_name="a load") as load:
        load.execute("select 1 from ops.batch")
        started = time.monotonic()
        with pytest.raises(LedgerError, match=r"\(a load, pid \d+, \d+ s: ops\.batch\)"):
            upgrade(empty_database)
        assert time.monotonic() - started < 30
        assert load.execute("select version_num from ops.alembic_version").fetchone() == ("0021",)
    monkeypatch.undo()
    with psycopg.connect(empty_database) as load:
        load.execute("select 1 from ops.batch")
        waiting = threading.Thread(target=upgrade, args=[empty_database])
        waiting.start()
        time.sleep(1)
        # A load goes on to the next table, and others read: the migration holds nothing while it waits.
        load.execute("set lock_timeout = '1s'")
        load.execute("select 1 from ops.feed for update")
        with psycopg.connect(empty_database, options="-c lock_timeout=1s") as reader:
            reader.execute("select 1 from ops.batch")
        load.commit()
        waiting.join(120)
    check_schema(empty_database)


def test_counts_that_do_not_balance_are_refused_by_the_ledger(warehouse: str) -> None:
    with psycopg.connect(warehouse) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "insert into ops.batch (feed, delivery, delivery_start, delivery_end, status, contract_hash, code_version,"
            " pseudonym_key_version, physical_lines, structural, received, accepted, refused, duplicates)"
            " values ('a/b', '2026', '2026-01-01', '2026-12-31', 'stopped', 'x', 'x', '1', 10, 1, 9, 7, 1, 0)"
        )


def test_the_statuses_of_a_batch_are_those_that_the_ledger_takes(warehouse: str) -> None:
    with psycopg.connect(warehouse) as connection:
        row = connection.execute(
            "select pg_get_constraintdef(oid) from pg_constraint where conname = 'batch_status_check'"
        ).fetchone()
    assert row is not None
    assert re.findall(r"'(\w+)'", row[0]) == list(BATCH_STATUSES)


def test_batches_of_an_older_ledger_learn_what_they_are_of_their_delivery(empty_database: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "KNOWN_VERSION", "0002")
        upgrade(empty_database)
    with psycopg.connect(empty_database) as connection:
        for number, (delivery, part, is_correction, window) in enumerate(
            [
                ("2024-02", "part0001", False, None),
                ("2024-02", "control", False, None),
                ("2024-02", "correction0001", True, None),
                ("2024-02-29", "window", False, "2024-03-01 00:00:00"),
                ("2023Q4", "file", False, None),
                ("2023-2024-1", "file", False, None),
                ("2023-2024-2", "file", False, None),
                ("2023", "file", False, None),
            ],
            1,
        ):
            connection.execute(
                "insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri, size_bytes,"
                " sha256, is_correction, watermark_to, fetched_at)"
                " values ('a/b', %s, %s, 1, 'x', 'file:///x', 1, repeat('0', 64), %s, %s, '2024-01-01')",
                [delivery, part, is_correction, window],
            )
            if part == "control":
                continue
            connection.execute(
                "insert into ops.batch (feed, delivery, status, contract_hash, code_version, pseudonym_key_version,"
                " place_number) values ('a/b', %s, 'failed', 'h', 'c', '1', %s)",
                [delivery, number],
            )
            connection.execute(
                "insert into ops.batch_object select max(batch_id), %s from ops.batch having true", [number]
            )
    upgrade(empty_database)
    with psycopg.connect(empty_database) as connection:
        rows = connection.execute(
            "select delivery_start::text, delivery_end::text, is_whole, newest_object_id, order_number,"
            " (select array_agg(landed_object_id order by 1) from ops.batch_object as o where o.batch_id = b.batch_id)"
            " from ops.batch as b order by batch_id"
        ).fetchall()
    assert rows == [
        ("2024-02-01", "2024-02-29", True, 2, 1, [1, 2]),
        ("2024-02-01", "2024-02-29", False, 3, 3, [3]),
        ("2024-02-29", "2024-02-29", False, 4, 4, [4]),
        ("2023-10-01", "2023-12-31", True, 5, 5, [5]),
        ("2023-09-01", "2024-01-31", True, 6, 6, [6]),
        ("2024-02-01", "2024-08-31", True, 7, 7, [7]),
        ("2023-01-01", "2023-12-31", True, 8, 8, [8]),
    ]


def test_counties_that_lack_are_counted_of_what_has_come(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two counties of three lack in a delivery that has come, one of them by agreement; of one to come nobody lacks."""
    monkeypatch.setattr(migrate, "KNOWN_VERSION", "0018")
    upgrade(empty_database)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(
            "insert into ops.expected_delivery (feed, delivery, county_code, cadence, delivery_start, delivery_end,"
            " due_at, first_arrived_at, is_paused) select 'a/b', d.delivery, c.code, 'month', '2026-01-01',"
            " '2026-01-31', now(), case when d.delivery = '2026-01' and c.code in ('', '1') then now() end,"
            " c.code = '3'"
            " from unnest('{2026-01, 2026-02}'::text[]) as d (delivery)"
            " cross join unnest('{\"\", 1, 2, 3}'::text[]) as c (code)"
        )
        connection.execute(
            "insert into ops.delivery_summary (feed, delivery, cadence, delivery_start, delivery_end, due_at, expected,"
            " arrived, on_time, late, empty, incomplete, untimed) select 'a/b', d.delivery, 'month', '2026-01-01',"
            " '2026-01-31', now(), 2, d.arrived, d.arrived, 0, 0, 0, 0"
            " from (values ('2026-01', 1), ('2026-02', 0)) as d (delivery, arrived)"
        )
        monkeypatch.undo()
        upgrade(empty_database)
        found = connection.execute("select delivery, lacking from ops.delivery_summary order by 1").fetchall()
        owed = connection.execute("select count(*) from ops.expected_delivery where is_current").fetchone()
    assert (found, owed) == ([("2026-01", 1), ("2026-02", 0)], (8,))
