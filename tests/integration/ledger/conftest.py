"""A ledger of the test's own day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.integration.ledger.sent import empty_ledger
from threegaps.ledger import expected

Ledger = psycopg.Connection[Any]


@pytest.fixture
def ledger(shared_warehouse: str) -> Iterator[Ledger]:
    """A ledger in which the day is 10 June 2026, as in a sandbox, and nothing has happened."""
    with psycopg.connect(shared_warehouse, autocommit=True) as connection:
        empty_ledger(connection)
        be_on(connection, "2026-06-10")
        yield connection


def be_on(connection: Ledger, day: str) -> None:
    """It is the end of *day*, and what is fetched counts as fetched at its beginning or before."""
    expected.set_clock(connection, dt.date.fromisoformat(day) - dt.timedelta(days=1))
