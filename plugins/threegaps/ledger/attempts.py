"""Attempts to land and to load: one row each, also of those that failed before any byte came.

An attempt is entered when it has the feed's lock, and says at its end how it ended. One that was killed says nothing:
whoever finds it without its lock (the next attempt, the upkeep, the watch) marks it as cut off.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from threegaps.errors import LedgerError, ThreeGapsError, UnexpectedError
from threegaps.labels import CAUSES
from threegaps.translations import in_both

LOCK_SPACE = 7237
"""First number of the advisory locks under which the steps of feeds run; the second is the hash of the lock's name."""

OF_CONNECTIONS = frozenset({"unreachable", "timed_out", "login_refused", "not_as_agreed"})
"""Causes that lie with the connection, and hence with every feed behind it."""

Step = Literal["land", "load"]
Outcome = Literal["waiting", "failed", "cut_off"]
"""How an attempt ends that did not come to its own end."""

_CUT_OFF_EN = "The process ended without saying how: it was killed, or its machine or the warehouse went away."
_CUT_OFF_ZH = "进程未留下结果即告结束:被强行终止,或所在机器、数据仓库中断。"
# Between entering an attempt and taking its lock there is nothing; this is for clocks and slow snapshots.
_GRACE = dt.timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed or waits, in plain words.

    Args:
        cause: A code of `threegaps.labels.CAUSES`.
        host: The system that was asked; None where none was.
    """

    cause: str
    message_en: str
    message_zh: str
    host: str | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that is under way.

    Args:
        counted_from: What it makes has a number above this one: landed objects for `land`, batches for `load`.
    """

    attempt_id: int
    feed: str
    step: Step
    counted_from: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row of ``ops.attempt``."""

    attempt_id: int
    feed: str
    step: str
    delivery: str
    run_id: str | None
    try_number: int | None
    started_at: dt.datetime
    ended_at: dt.datetime | None
    outcome: str
    cause: str | None
    host: str | None
    port: int | None
    message_en: str | None
    message_zh: str | None
    landed_objects: int | None
    batches: int | None


@dataclass(frozen=True, slots=True)
class Failing:
    """A step of a feed whose latest attempts all failed.

    Args:
        failures: How many in a row since the last one that did not; those that were cut off count.
        since: When the first of them began.
        last_at: When the last one began.
        last_attempt_id: Its number.
        cause: Of the last one, a code of `threegaps.labels.CAUSES`; ``unexpected`` where it was cut off.
        host: The system that it asked; None where none was.
        connection_id: The Airflow connection that the feed comes by; None where it is not known.
        is_current: Whether the feed has a contract.
        run_id: Airflow's name of the run that the last one belonged to; None for one that a command made.
    """

    feed: str
    step: str
    failures: int
    since: dt.datetime
    last_at: dt.datetime
    last_attempt_id: int
    delivery: str
    cause: str
    message_en: str
    message_zh: str
    host: str | None
    port: int | None
    connection_id: str | None
    is_current: bool
    run_id: str | None = None


_COLUMNS = ", ".join(Attempt.__slots__)

LAST_ATTEMPTS = """
-- by the index, step by step: all attempts of some years are many
select distinct on (f.feed) f.feed, a.step, a.outcome, a.cause, a.started_at
from ops.feed as f cross join (values ('land'), ('load')) as s (step)
cross join lateral (
    select o.attempt_id, o.step, o.outcome, o.cause, o.started_at from ops.attempt as o
    where o.feed = f.feed and o.step = s.step order by o.attempt_id desc limit 1
) as a
order by f.feed, a.attempt_id desc
"""
"""The last attempt of each feed, of whichever step and outcome, in SQL."""

_MADE = {"land": ("ops.landed_object", "landed_object_id"), "load": ("ops.batch", "batch_id")}
_COUNTED = {"land": "landed_objects", "load": "batches"}


def failure_of(error: BaseException) -> Failure:
    """Why an attempt that *error* ended failed; of an error that is not ours nothing but its kind is said."""
    said = error if isinstance(error, ThreeGapsError) else UnexpectedError.of(error)
    places = [
        (zh, en, value)
        for zh, en, value in (
            ("文件", "file", said.file),
            ("连接", "connection", said.connection_id),
            ("行", "row", said.row),
            ("列", "column", said.column),
        )
        if value
    ]
    where = ", ".join(f"{en} {value}" for _, en, value in places)
    where_zh = ", ".join(f"{zh} {value}" for zh, _, value in places)
    message_zh = said.message_zh or f"{CAUSES[said.cause][0]}:{in_both(said.message)[0]}"
    return Failure(
        cause=said.cause,
        message_en=f"{where}: {said.message}" if where else said.message,
        message_zh=f"{where_zh}:{message_zh}" if where else message_zh,
        host=said.host,
        port=said.port,
    )


def begin(
    connection: psycopg.Connection[Any],
    *,
    feed: str,
    step: Step,
    delivery: str,
    run_id: str | None = None,
    try_number: int | None = None,
) -> Begun:
    """Enter an attempt that begins now, and mark those before it that never ended.

    Args:
        connection: In autocommit; holds the lock of the feed's step.
        run_id: Airflow's name of the run that it belongs to; None for one that a command makes.
        try_number: Which try of the run's task it is, from 1.
    """
    connection.execute(
        "update ops.attempt set outcome = 'cut_off', ended_at = clock_timestamp(), message_en = %s, message_zh = %s"
        " where feed = %s and step = %s and outcome = 'running'",
        [_CUT_OFF_EN, _CUT_OFF_ZH, feed, step],
    )
    table, number = _MADE[step]
    row = connection.execute(
        "insert into ops.attempt (feed, step, delivery, run_id, try_number) values (%s, %s, %s, %s, %s)"
        f" returning attempt_id, (select coalesce(max({number}), 0) from {table})",
        [feed, step, delivery, run_id, try_number],
    ).fetchone()
    if row is None:
        raise LedgerError("The ledger enters no attempt.", feed=feed)
    return Begun(int(row[0]), feed, step, int(row[1]))


def end(
    connection: psycopg.Connection[Any], begun: Begun, outcome: Outcome | None = None, failure: Failure | None = None
) -> None:
    """Note how an attempt ended, and how much it made.

    One that was taken for cut off, since its session had broken, is set right.

    Args:
        outcome: None where it came to its end: it succeeded if it has made something, else there was nothing new.
        failure: Why, of one that failed, waits or was cut off.
    """
    said = failure or Failure("", "", "")
    table, number = _MADE[begun.step]
    loaded = " and status = 'loaded'" if begun.step == "load" else ""
    connection.execute(
        f"with made as (select count(*) as n from {table}"
        f" where feed = %(feed)s and {number} > %(counted_from)s{loaded})"
        " update ops.attempt set ended_at = clock_timestamp(), cause = %(cause)s, host = %(host)s, port = %(port)s,"
        " outcome = coalesce(%(outcome)s, case when made.n > 0 then 'succeeded' else 'nothing_new' end),"
        " message_en = %(message_en)s, message_zh = %(message_zh)s,"
        f" {_COUNTED[begun.step]} = made.n"
        " from made where attempt_id = %(attempt_id)s and outcome in ('running', 'cut_off')",
        {
            "attempt_id": begun.attempt_id,
            "feed": begun.feed,
            "counted_from": begun.counted_from,
            "outcome": outcome,
            "cause": said.cause if outcome in {"failed", "waiting"} else None,
            "host": said.host,
            "port": said.port,
            "message_en": said.message_en or None,
            "message_zh": said.message_zh or None,
        },
    )


def mark_cut_off(connection: psycopg.Connection[Any]) -> list[tuple[str, str, int]]:
    """Mark every attempt that says that it runs and whose lock nobody holds: its process is gone.

    Returns:
        Feed, step and number of each.
    """
    rows = connection.execute(
        "update ops.attempt as a set outcome = 'cut_off', ended_at = clock_timestamp(), message_en = %(said_en)s,"
        " message_zh = %(said_zh)s where a.outcome = 'running' and a.started_at < clock_timestamp() - %(grace)s"
        " and not exists (select from pg_locks as l where l.locktype = 'advisory' and l.granted"
        " and l.database = (select oid from pg_database where datname = current_database())"
        " and l.classid = %(space)s and l.objsubid = 2"
        " and l.objid = (hashtext(a.step || ' ' || a.feed)::bigint & 4294967295)::oid)"
        " returning a.feed, a.step, a.attempt_id",
        {"said_en": _CUT_OFF_EN, "said_zh": _CUT_OFF_ZH, "grace": _GRACE, "space": LOCK_SPACE},
    ).fetchall()
    return [(str(feed), str(step), int(number)) for feed, step, number in rows]


def fetched_up_to(connection: psycopg.Connection[Any], feed: str) -> list[str]:
    """The deliveries up to which attempts of a feed have fetched what there was, be it nothing."""
    rows = connection.execute(
        "select distinct delivery from ops.attempt"
        " where feed = %s and step = 'land' and outcome in ('succeeded', 'nothing_new')",
        [feed],
    ).fetchall()
    return [str(delivery) for (delivery,) in rows]


def count_attempts(connection: psycopg.Connection[Any], feed: str | None = None) -> int:
    """How many attempts there are, of a feed or of all."""
    row = connection.execute(
        "select count(*) from ops.attempt where %(feed)s::text is null or feed = %(feed)s", {"feed": feed}
    ).fetchone()
    return int(row[0]) if row else 0


def latest_attempts(
    connection: psycopg.Connection[Any], feed: str | None = None, *, delivery: str | None = None, limit: int = 20
) -> list[Attempt]:
    """The latest attempts of *feed*, or of all, and of one delivery or of all, the newest first."""
    with connection.cursor(row_factory=class_row(Attempt)) as cursor:
        cursor.execute(
            f"select {_COLUMNS} from ops.attempt where (%(feed)s::text is null or feed = %(feed)s)"
            " and (%(delivery)s::text is null or delivery = %(delivery)s)"
            " order by attempt_id desc limit %(limit)s",
            {"feed": feed, "delivery": delivery, "limit": limit},
        )
        return cursor.fetchall()


def delivery_of_run(connection: psycopg.Connection[Any], feed: str, run_id: str) -> str | None:
    """The delivery that a run of Airflow fetched or loaded last; None where it did neither."""
    row = connection.execute(
        "select delivery from ops.attempt where run_id = %s and feed = %s order by attempt_id desc limit 1",
        [run_id, feed],
    ).fetchone()
    return None if row is None else str(row[0])


def last_attempted(connection: psycopg.Connection[Any]) -> dict[str, dt.datetime]:
    """When landing or loading of each feed was tried last, whatever came of it; feeds that never were are left out."""
    found = connection.execute(f"select l.feed, l.started_at from ({LAST_ATTEMPTS}) as l".encode()).fetchall()
    return {str(feed): started_at for feed, started_at in found}


def failing_since(connection: psycopg.Connection[Any], feed: str | None = None) -> Sequence[Failing]:
    """Steps of feeds whose latest attempts all failed, by feed and step; of *feed* alone where it is given.

    An attempt that waits for a file has reached the department: it ends a row of failures, as a success does. Feeds
    that have no contract any more are among them.
    """
    with connection.cursor(row_factory=class_row(Failing)) as cursor:
        cursor.execute(
            "with failed as ("
            " select a.*, row_number() over last_first as number, count(*) over of_step as failures,"
            " min(a.started_at) over of_step as since from ops.attempt as a"
            " where a.outcome in ('failed', 'cut_off') and (%(feed)s::text is null or a.feed = %(feed)s)"
            " and a.attempt_id > coalesce((select g.attempt_id from ops.attempt as g"
            " where g.feed = a.feed and g.step = a.step and g.outcome in ('succeeded', 'nothing_new', 'waiting')"
            " order by g.attempt_id desc limit 1), 0)"
            " window of_step as (partition by a.feed, a.step),"
            " last_first as (partition by a.feed, a.step order by a.attempt_id desc))"
            " select l.feed, l.step, l.failures, l.since, l.started_at as last_at, l.attempt_id as last_attempt_id,"
            " l.delivery, coalesce(l.cause, 'unexpected') as cause, coalesce(l.message_en, '') as message_en,"
            " coalesce(l.message_zh, '') as message_zh, l.host, l.port, f.connection_id,"
            " coalesce(f.is_current, false) as is_current, l.run_id"
            " from failed as l left join ops.feed as f using (feed) where l.number = 1 order by l.feed, l.step",
            {"feed": feed},
        )
        return cursor.fetchall()
