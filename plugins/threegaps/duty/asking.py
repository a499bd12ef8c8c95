"""Questions of the duty page to the warehouse, by its own login: they do not wait for ever."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg

from threegaps.ledger.migrate import check_connection
from threegaps.ledger.odd_moments import take_odd_moments
from threegaps.settings import Settings

_CONNECT_SECONDS = 5
# A page is wanted in a moment: what takes longer is given up, and the page says so.
_LIMITS = "-c statement_timeout=15s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"


@contextlib.contextmanager
def reading(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection that changes nothing, in autocommit.

    Raises:
        psycopg.Error: The warehouse does not answer, or not so.
    """
    with _connect(settings, is_read_only=True) as connection:
        yield connection


@contextlib.contextmanager
def writing(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection for one change, which holds as a whole or not at all.

    Raises:
        psycopg.Error: The warehouse does not answer, or not so.
        LedgerError: The ledger is of another version.
    """
    with acting(settings) as connection, connection.transaction():
        yield connection


@contextlib.contextmanager
def acting(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection in autocommit, for what holds step by step; nothing is written to a ledger of another version.

    Raises:
        psycopg.Error: The warehouse does not answer, or not so.
        LedgerError: The ledger is of another version.
    """
    with _connect(settings, is_read_only=False) as connection:
        check_connection(connection)
        yield connection


def _connect(settings: Settings, *, is_read_only: bool) -> psycopg.Connection[Any]:
    reads = "on" if is_read_only else "off"
    connection = psycopg.connect(
        settings.duty_dsn(),
        autocommit=True,
        connect_timeout=_CONNECT_SECONDS,
        application_name="threegaps duty",
        options=f"{_LIMITS} -c default_transaction_read_only={reads} -c timezone=Asia/Shanghai",
        tcp_user_timeout=20_000,
    )
    # What is shown can be acted on: it is read in the same way for both.
    take_odd_moments(connection)
    return connection
