"""An error in the middle of a statement: what is seen is that error, and the ledger says that the batch failed."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from tests.integration.warehouse.conftest import WAGES, Loader
from threegaps.warehouse.load import load_batch
from threegaps.warehouse.sessions import feed_lock

pytestmark = pytest.mark.integration

ROWS = [{"employer": name, "wage_month": dt.date(2026, 6, 1), "county": "330102", "wage": "1"} for name in "ABC"]
FIRST = [{**row, "wage": "2"} for row in ROWS[:2]]


class Interrupted(Exception):  # noqa: N818
    """What a signal's handler raises, as for a time-out."""


class Interrupting(psycopg.Connection[Any]):
    """A connection that is interrupted while it waits for the server, at the *when*-th wait."""

    waits = 0
    when = 0

    def wait(self, gen: Generator[Any, Any, Any], interval: float = 0.1) -> Any:
        type(self).waits += 1
        if self.waits == self.when:
            with suppress(StopIteration):
                next(gen)  # the statement is sent, its result is not fetched
                raise Interrupted
        return super().wait(gen, interval)


def load_interrupted(warehouse: str, when: int, first: Callable[[Loader], None]) -> Exception | None:
    try:
        with Interrupting.connect(warehouse, autocommit=True) as connection:
            loader = Loader(connection)
            first(loader)
            plan = loader.plan(WAGES, "2026-06", ROWS)
            with feed_lock(connection, WAGES.feed, step="load"):
                Interrupting.waits, Interrupting.when = 0, when
                load_batch(connection, plan)
                Interrupting.when = 0
    except Exception as error:  # noqa: BLE001  # it is what the test looks at
        return error
    finally:
        Interrupting.when = 0
    return None


def forget(warehouse: str) -> None:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute("truncate ops.landed_object, ops.batch restart identity cascade")
        connection.execute("drop table if exists raw.test_wages, raw_history.test_wages")


def locks_that_stay(connection: psycopg.Connection[Any], seconds: float = 20) -> int:
    """Advisory locks of other sessions; a server needs a moment to see that a client is gone."""
    query = "select count(*) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
    deadline = time.monotonic() + seconds
    while True:
        row = connection.execute(query).fetchone()
        assert row is not None
        if row[0] == 0 or time.monotonic() > deadline:
            return int(row[0])
        time.sleep(0.05)


@pytest.mark.parametrize("is_first", [True, False], ids=["straight", "merged"])
def test_an_interruption_at_any_wait_is_seen_itself_and_leaves_a_failed_batch(warehouse: str, is_first: bool) -> None:
    def before(loader: Loader) -> None:
        if not is_first:
            loader.load(WAGES, "2026-06", FIRST)

    when, seen = 0, 0
    while True:
        when += 1
        forget(warehouse)
        error = load_interrupted(warehouse, when, before)
        with psycopg.connect(warehouse, autocommit=True) as connection:
            status = connection.execute("select status from ops.batch order by batch_id desc limit 1").fetchone()
            locks = locks_that_stay(connection)
        if error is None:
            break
        seen += 1
        assert isinstance(error, Interrupted), (when, repr(error))
        assert status in {("failed",), ("loaded",)}, when
        assert locks == 0, when
    assert seen > 20
    assert status == ("loaded",)
