"""Sessions with the warehouse that take turns, and what can still be done on one that was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from threegaps.ledger.attempts import LOCK_SPACE
from threegaps.standards.visible import log_of

logger = log_of(__name__)

_WAIT_SECONDS = 20
"""How long a second session waits for the row locks of the first, which the server is about to end."""


@contextmanager
def feed_lock(connection: psycopg.Connection[Any], feed: str, *, step: str) -> Iterator[None]:
    """Hold the feed's advisory lock for a step: neither partition keys nor Airflow's limits put runs in a row.

    Args:
        connection: In autocommit.
        feed: The feed.
        step: ``land`` or ``load``.
    """
    name = f"{step} {feed}"
    connection.execute("select pg_advisory_lock(%s, hashtext(%s))", [LOCK_SPACE, name])
    try:
        yield
    finally:
        # A session that is busy or gone gives the lock back when it ends; asking it would hide the first error.
        if is_usable(connection):
            connection.execute("select pg_advisory_unlock(%s, hashtext(%s))", [LOCK_SPACE, name])


def is_usable(connection: psycopg.Connection[Any]) -> bool:
    """Whether a statement can be sent: the session is open, and no earlier statement is still under way on it.

    An exception that a signal raises (a time-out, a task that is ended) leaves a COPY or a query half sent: whatever is
    sent after it is refused with "another command is already in progress".
    """
    status = connection.info.transaction_status
    return not connection.closed and not connection.broken and status != TransactionStatus.ACTIVE


def on_usable(connection: psycopg.Connection[Any], work: Callable[[psycopg.Connection[Any]], None]) -> None:
    """Do *work* after an error: on *connection*, or on a new session where that one is busy.

    It never raises: the first error is what has to be seen. What could not be done, as where the warehouse went away,
    is left to the next run.
    """
    try:
        if is_usable(connection):
            work(connection)
            return
        if connection.closed or connection.broken:
            return
        target, password = connection.info.dsn, connection.info.password
        # The server gives up what the session holds only once it is closed.
        connection.close()
        options = f"-c lock_timeout={_WAIT_SECONDS}s"
        with psycopg.connect(target, password=password, autocommit=True, options=options) as other:
            work(other)
    except psycopg.Error as error:
        logger.warning("what follows an error could not be noted in the ledger: %s", type(error).__name__)
