"""Questions of the duty page to the warehouse, by its own login: they do not wait for ever."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.types.datetime import DateLoader, TimestamptzLoader

from threegaps.duty.speaking import NEVER
from threegaps.ledger.migrate import check_connection
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
        connection.adapters.register_loader("date", _AnyDate)
        connection.adapters.register_loader("timestamptz", _AnyMoment)
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


class _AnyDate(DateLoader):
    """A date; one outside of the calendar is its end: a row that has it is no reason to show none."""

    def load(self, data: Buffer) -> dt.date:
        try:
            return super().load(data)
        except psycopg.DataError:
            written = bytes(data)
            return dt.date.min if written.startswith(b"-") or written.endswith(b"BC") else dt.date.max


class _AnyMoment(TimestamptzLoader):
    """A moment; one outside of the calendar is `NEVER`."""

    def load(self, data: Buffer) -> dt.datetime:
        try:
            return super().load(data)
        except psycopg.DataError:
            return NEVER


def _connect(settings: Settings, *, is_read_only: bool) -> psycopg.Connection[Any]:
    reads = "on" if is_read_only else "off"
    return psycopg.connect(
        settings.duty_dsn(),
        autocommit=True,
        connect_timeout=_CONNECT_SECONDS,
        application_name="threegaps duty",
        options=f"{_LIMITS} -c default_transaction_read_only={reads} -c timezone=Asia/Shanghai",
        tcp_user_timeout=20_000,
    )
