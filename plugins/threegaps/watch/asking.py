"""Questions to the ledger that no silence of the warehouse and no busy machine holds up for ever."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import psycopg
from psycopg import errors

from threegaps.errors import ThreeGapsError, of_warehouse
from threegaps.ledger.migrate import NOT_MIGRATED
from threegaps.settings import Settings
from threegaps.watch import reading_machine
from threegaps.watch.deadlines import DeadlineError, deadline
from threegaps.watch.readings import NotLookedAt, UnreadLedger, WarehouseReading

LEDGER_SECONDS = 75.0
"""All questions together. That one is not answered says that the warehouse is silent, this that the machine is busy."""
_TOO_SLOW = UnreadLedger("slow", "it answers, but not all questions within a pass; the machine is busy")
_MOST_NAMED = 5
_LACKING = """
select format('%%I.%%I', n.nspname, c.relname) from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where n.nspname = 'ops' and (
    not has_schema_privilege(n.oid, 'usage')
    or not has_table_privilege(c.oid, 'select') or (c.relkind <> 'v' and not has_table_privilege(c.oid, 'insert'))
    or (c.relkind <> 'v' and not has_table_privilege(c.oid, 'update')))
and c.relkind in ('r', 'p', 'v') order by 1 limit %s
"""
# What no question of a quiet pass would find: messages could not leave, and what happens could not be entered.
_CANNOT_ENTER = """
select exists (
    select from pg_class as c
    where c.relnamespace = to_regnamespace('ops') and c.relkind in ('r', 'p') and (
        not has_table_privilege(c.oid, 'insert') or not has_table_privilege(c.oid, 'update')
        or (c.relname = 'outbox' and not has_table_privilege(c.oid, 'select')))
)
"""
_LOCKED = """
select distinct format('%%I.%%I', n.nspname, c.relname)
from pg_locks as l join pg_class as c on c.oid = l.relation join pg_namespace as n on n.oid = c.relnamespace
where n.nspname = 'ops' and l.granted and l.pid <> pg_backend_pid()
and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
order by 1 limit %s
"""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Asked(Generic[Answer]):
    """What came of asking the ledger.

    Args:
        warehouse: Whether it answers at all.
        answer: None where the questions could not be answered.
        missing: Why not.
    """

    warehouse: WarehouseReading
    answer: Answer | None = None
    missing: tuple[NotLookedAt, ...] = ()


def ask_ledger(settings: Settings, ask: Callable[[psycopg.Connection[Any]], Answer]) -> Asked[Answer]:
    """Ask over one connection, in autocommit, each of whose questions has a limit of its own.

    Only a question that gets no answer says that the warehouse is down.
    """
    address = reading_machine.warehouse_address(settings)
    try:
        with deadline(LEDGER_SECONDS), reading_machine.connect(settings) as connection:
            try:
                _check_rights(connection)
                return Asked(WarehouseReading(address, answers=True), ask(connection))
            except psycopg.Error as error:
                if reading_machine.is_down(error):
                    raise
                unread = _of_session(connection, error)
    except DeadlineError:
        unread = _TOO_SLOW
    except (psycopg.Error, TimeoutError, ThreeGapsError) as error:
        if reading_machine.is_down(error):
            silent = reading_machine.unanswered(settings, error)
            return Asked(silent, missing=(NotLookedAt("ledger", silent.said),))
        unread = UnreadLedger("other", reading_machine.in_our_words(error))
    return Asked(WarehouseReading(address, answers=True, unread=unread), missing=(NotLookedAt("ledger", unread.said),))


def _check_rights(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute(_CANNOT_ENTER).fetchone()
    if row is not None and row[0]:
        raise errors.InsufficientPrivilege


def _of_session(connection: psycopg.Connection[Any], error: psycopg.Error) -> UnreadLedger:
    """Why what was asked in a session that goes on could not be had; the names are those of our own relations."""
    question = _question(error)
    if isinstance(error, NOT_MIGRATED):
        said = "its schema is not the one that this version knows; `threegaps migrate` makes it"
        return UnreadLedger("missing", said, question)
    if isinstance(error, errors.QueryCanceled):
        return UnreadLedger("slow", "a question took longer than it may", question)
    if isinstance(error, errors.InsufficientPrivilege):
        named = _named(connection, _LACKING)
        return UnreadLedger("right", f"the role lacks a right on {named}" if named else of_warehouse(error), question)
    if isinstance(error, errors.LockNotAvailable):
        named = _named(connection, _LOCKED)
        said = f"another session keeps {named} locked" if named else "another session keeps what is asked for locked"
        return UnreadLedger("locked", said, question)
    return UnreadLedger("other", of_warehouse(error), question)


def _named(connection: psycopg.Connection[Any], query: str) -> str:
    """The relations of the ledger that *query* finds; empty where it finds none, or may not be asked."""
    try:
        found = [str(name) for (name,) in connection.execute(query.encode(), [_MOST_NAMED + 1]).fetchall()]
    except psycopg.Error as error:
        if reading_machine.is_down(error):
            raise
        return ""
    return ", ".join([*found[:_MOST_NAMED], *(["…"] if len(found) > _MOST_NAMED else [])])


def _question(error: BaseException) -> str:
    """The function of ours that asked."""
    names = [
        f"{module.removeprefix('threegaps.')}.{frame.f_code.co_name}"
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if (module := str(frame.f_globals.get("__name__"))).startswith("threegaps.")
        and module not in {__name__, reading_machine.__name__}
    ]
    return names[-1] if names else ""
