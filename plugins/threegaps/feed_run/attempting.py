"""What a step of a feed run says of itself in the ledger: when it began, how it ended, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from threegaps.errors import StillBeingWrittenError, ThreeGapsError, UnexpectedError, is_warehouse_down, of_warehouse
from threegaps.ledger import attempts
from threegaps.ledger.attempts import Failure, Outcome, Step
from threegaps.settings import Settings
from threegaps.standards.visible import log_of
from threegaps.warehouse.sessions import is_usable

logger = log_of(__name__)

_CONNECT_SECONDS = 5
_ENDED_EN = "It was ended from outside before it was done."
_ENDED_ZH = "尚未完成即被外部终止。"


@dataclass(frozen=True, slots=True)
class Run:
    """Which run of Airflow a step belongs to.

    Args:
        run_id: The run's name; None for a command.
        try_number: Which try of the task it is, from 1.
    """

    run_id: str | None = None
    try_number: int | None = None


@contextmanager
def attempt(
    settings: Settings,
    connection: psycopg.Connection[Any],
    feed: str,
    step: Step,
    delivery: str,
    run: Run | None = None,
) -> Iterator[None]:
    """Enter an attempt in the ledger; however it ends, that is noted, also where the session with it broke.

    Args:
        connection: In autocommit; holds the lock of the feed's step.
        delivery: The delivery up to which it goes.
    """
    of_run = run or Run()
    begun = attempts.begin(
        connection, feed=feed, step=step, delivery=delivery, run_id=of_run.run_id, try_number=of_run.try_number
    )
    try:
        yield
    except BaseException as error:
        outcome, failure = _judged(settings, error)
        _note(settings, connection, lambda session: attempts.end(session, begun, outcome, failure))
        raise
    attempts.end(connection, begun)


def _judged(settings: Settings, error: BaseException) -> tuple[Outcome, Failure]:
    """How an attempt ended that *error* left, and why."""
    if isinstance(error, StillBeingWrittenError):
        return "waiting", attempts.failure_of(error)
    if isinstance(error, psycopg.Error) and is_warehouse_down(error):
        parts = settings.warehouse()
        down = ThreeGapsError(
            f"The warehouse went away: {of_warehouse(error)}.",
            message_zh=f"数据仓库({parts['host']}:{parts['port']})中断。",
            cause="warehouse_down",
            host=parts["host"],
            port=int(parts["port"]),
        )
        return "failed", attempts.failure_of(down)
    if isinstance(error, Exception):
        return "failed", attempts.failure_of(error)
    from airflow.sdk.exceptions import AirflowTaskTimeout

    if isinstance(error, AirflowTaskTimeout):
        return "failed", attempts.failure_of(
            UnexpectedError("It took longer than a task may.", message_zh="运行时间超过任务上限。", cause="timed_out")
        )
    return "cut_off", Failure("unexpected", _ENDED_EN, _ENDED_ZH)


def _note(
    settings: Settings, connection: psycopg.Connection[Any], work: Callable[[psycopg.Connection[Any]], None]
) -> None:
    """Do *work* after an error, on a new session where the first one is busy or gone; never raises.

    What cannot be noted stays under way until the next attempt, or the upkeep, finds it.
    """
    try:
        if is_usable(connection):
            work(connection)
            return
        with psycopg.connect(
            settings.warehouse_dsn(),
            autocommit=True,
            application_name="threegaps",
            connect_timeout=_CONNECT_SECONDS,
        ) as other:
            work(other)
    except psycopg.Error as error:
        logger.warning("how the attempt ended could not be noted in the ledger: %s", of_warehouse(error))
