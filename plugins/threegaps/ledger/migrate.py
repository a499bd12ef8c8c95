"""Bring the ledger's schema to the version that this code knows, and refuse any other.

Migrations run only in ``threegaps up`` or a deployment; tasks call `check_schema`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors

from threegaps.errors import LedgerError, of_warehouse

KNOWN_VERSION = "0026"
"""The newest revision; the one that this code works with."""
NOT_MIGRATED = (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName, errors.UndefinedFunction)
"""What a question is answered with where the ledger has not been made yet, or by another version."""

_SCRIPTS = Path(__file__).parent / "migrations"
# Any number that nothing else in the warehouse takes; the whole team of processes must use the same.
_LOCK = 7_237_020_001
_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.5
_LOCK_SECONDS = 5
"""So long for what is none of the ledger's tables."""
# All at once or none: whoever waits for one while it holds others may stand in a ring with a load or a reader.
_LOCK_ALL = """
do $$
declare
    tables text;
begin
    select string_agg(quote_ident(schemaname) || '.' || quote_ident(tablename), ', ') into tables
    from pg_tables where schemaname in ('ops', 'quarantine');
    if tables is not null then
        execute 'lock table ' || tables || ' in access exclusive mode nowait';
    end if;
end
$$
"""
# Who holds tables of the ledger: each session's name, for how many seconds, and the tables.
_HOLDERS = """
select string_agg(h.session || ': ' || h.tables, '; ' order by h.seconds desc)
from (
    select s.seconds, concat_ws(', ', s.name, 'pid ' || s.pid, s.seconds || ' s') as session,
           string_agg(distinct n.nspname || '.' || c.relname, ', ') as tables
    from (
        select pid, coalesce(nullif(application_name, ''), usename) as name,
               extract(epoch from clock_timestamp() - coalesce(xact_start, backend_start))::integer as seconds
        from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
    ) as s
    inner join pg_locks as l on l.pid = s.pid and l.granted
    inner join pg_class as c on c.oid = l.relation and c.relkind in ('r', 'p')
    inner join pg_namespace as n on n.oid = c.relnamespace and n.nspname in ('ops', 'quarantine')
    group by 1, 2
) as h
"""


def upgrade(dsn: str) -> None:
    """Migrate the ledger in database *dsn* to `KNOWN_VERSION`; does nothing when it has that version.

    Two processes that start at once take turns by an advisory lock. What others hold is waited for `_PATIENCE_SECONDS`,
    without holding anything meanwhile: no reader queues behind a migration that waits, and none deadlocks with a load.

    Raises:
        LedgerError: The database cannot be reached, has a revision that this code does not know, or others hold it.
    """
    try:
        with psycopg.connect(dsn, autocommit=True) as guard:
            guard.execute("select pg_advisory_lock(%s)", [_LOCK])
            version = _version(guard)
            if version == KNOWN_VERSION:
                return
            if version is not None and version not in _revisions():
                raise _unknown(version)
            # Alembic keeps its version table in the ledger's schema, so the schema stands before the first revision.
            guard.execute("create schema if not exists ops")
            ends, held = time.monotonic() + _PATIENCE_SECONDS, ""
            while not _migrate(dsn):
                held = _holders(guard) or held
                if time.monotonic() > ends:
                    raise LedgerError(
                        f"The ledger is not migrated: other sessions hold its tables ({held}).",
                        advice="wait until they have ended, then run `threegaps migrate` again; nothing has changed.",
                    )
                time.sleep(_PAUSE_SECONDS)
    except psycopg.OperationalError as error:
        raise LedgerError(
            f"The warehouse cannot be reached: {of_warehouse(error)}.", advice="run `threegaps up`, then try again."
        ) from None


def _migrate(dsn: str) -> bool:
    """Run the migrations in one transaction; False, and nothing has changed, where others hold what they need."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    options = f"-c lock_timeout={_LOCK_SECONDS}s"
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(dsn, options=options), poolclass=NullPool
    )
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(_LOCK_ALL)
            config = Config()
            config.set_main_option("script_location", str(_SCRIPTS))
            config.attributes["connection"] = connection
            command.upgrade(config, KNOWN_VERSION)
    except DBAPIError as error:
        if isinstance(error.orig, errors.LockNotAvailable | errors.DeadlockDetected):
            return False
        raise
    return True


def _holders(connection: psycopg.Connection[Any]) -> str:
    """Which sessions hold tables of the ledger, for how long, and which tables; empty where none does."""
    row = connection.execute(_HOLDERS).fetchone()
    return str(row[0] or "") if row else ""


def check_schema(dsn: str) -> None:
    """Make sure that the ledger has the version that this code knows.

    Raises:
        LedgerError: It has none, an older or a newer one: nothing is written to a ledger that we might misread.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        check_connection(connection)


def check_connection(connection: psycopg.Connection[Any]) -> None:
    """As `check_schema`, on an open connection."""
    version = _version(connection)
    if version is None:
        raise LedgerError("The warehouse has no ledger yet.", advice="run `threegaps up`, which migrates it.")
    if version != KNOWN_VERSION:
        raise _unknown(version)


def _revisions() -> frozenset[str]:
    return frozenset(path.name.split("_")[0] for path in (_SCRIPTS / "versions").glob("[0-9]*.py"))


def _version(connection: psycopg.Connection[Any]) -> str | None:
    present = connection.execute("select to_regclass('ops.alembic_version')").fetchone()
    if present is None or present[0] is None:
        return None
    row = connection.execute("select version_num from ops.alembic_version").fetchone()
    return None if row is None else str(row[0])


def _unknown(version: str) -> LedgerError:
    return LedgerError(
        f"The ledger is at schema version {version}; this code knows {KNOWN_VERSION}.",
        advice="run the code that belongs to this warehouse, or `threegaps up` to migrate an older one.",
    )
