"""One build or release at a time: a session advisory lock, gone with the process that held it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from threegaps.errors import BuildError

BUILD_LOCK = 7_237_020_003
PATIENCE_SECONDS = 3.0
"""A server takes a moment to notice that a session is gone; its lock is waited for so long."""


@contextmanager
def held_by_builder(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection in autocommit that holds the lock of builds until the block ends.

    Raises:
        BuildError: Another process builds or releases now.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        given_up = time.monotonic() + PATIENCE_SECONDS
        while not try_lock(connection):
            if time.monotonic() > given_up:
                raise BuildError(
                    "Another build or release is running.", advice="wait for its end; `threegaps status` shows it."
                )
            time.sleep(0.05)
        yield connection


def try_lock(connection: psycopg.Connection[Any]) -> bool:
    """Take the lock for the session of *connection* if nobody holds it."""
    row = connection.execute("select pg_try_advisory_lock(%s)", [BUILD_LOCK]).fetchone()
    return row is not None and bool(row[0])
