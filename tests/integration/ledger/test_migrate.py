"""The ledger's schema: made once, checked always."""

from __future__ import annotations

import re
import threading

import psycopg
import pytest

from threegaps.errors import LedgerError
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
