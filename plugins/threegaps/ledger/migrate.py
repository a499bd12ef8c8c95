"""Bring the ledger's schema to the version that this code knows, and refuse any other.

Migrations run only in ``threegaps up`` or a deployment; tasks call `check_schema`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from threegaps.errors import LedgerError, of_warehouse

KNOWN_VERSION = "0024"
"""The newest revision; the one that this code works with."""

_SCRIPTS = Path(__file__).parent / "migrations"
# Any number that nothing else in the warehouse takes; the whole team of processes must use the same.
_LOCK = 7_237_020_001


def upgrade(dsn: str) -> None:
    """Migrate the ledger in database *dsn* to `KNOWN_VERSION`; does nothing when it has that version.

    Two processes that start at once take turns by an advisory lock.

    Raises:
        LedgerError: The database cannot be reached, or has a revision that this code does not know.
    """
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

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
            engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool)
            with engine.begin() as connection:
                config = Config()
                config.set_main_option("script_location", str(_SCRIPTS))
                config.attributes["connection"] = connection
                command.upgrade(config, KNOWN_VERSION)
    except psycopg.OperationalError as error:
        raise LedgerError(
            f"The warehouse cannot be reached: {of_warehouse(error)}.", advice="run `threegaps up`, then try again."
        ) from None


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
