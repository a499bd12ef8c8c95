"""The departmental PostgreSQL databases: the tables of each department, with its own field names."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import psycopg
from psycopg import sql

from sandbox import clock, feeds
from sandbox.feeds.model import Feed, Table
from sandbox.writers.versions import HELPERS
from sandbox.writers.versions import state as held

READER = "department_reader"
BLOCK_ROWS = 200_000


def _feeds(department: str) -> dict[str, Feed]:
    return {
        feed.medium.name: feed
        for feed in feeds.every()
        if isinstance(feed.medium, Table) and feed.department == department
    }


def state(home: Path, table: str, department: str, as_of: str | None = None) -> pl.DataFrame:
    """Rows of a table as the department held them at `as_of` (Shanghai wall clock); None = on the sandbox's day."""
    return held(home, _feeds(department)[table], as_of or clock.end_of_today(home)).drop(HELPERS)


def load(home: Path | str, dsn: str, department: str, as_of: str | None = None) -> dict[str, int]:
    """(Re)fill a department's tables in one transaction; grants reading to `department_reader` where it exists.

    Readers see the tables as they were before until the end. Returns row counts.
    """
    counts: dict[str, int] = {}
    with psycopg.connect(dsn) as connection:
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER]).fetchone()
        for table, feed in _feeds(department).items():
            medium = feed.medium
            if not isinstance(medium, Table):
                continue
            frame = state(Path(home), table, department, as_of)
            name = sql.Identifier("public", table)
            columns = sql.SQL(", ").join(
                sql.SQL("{} {}").format(
                    sql.Identifier(column), sql.SQL("timestamp" if column == medium.moment else "text")
                )
                for column in frame.columns
            )
            connection.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} ({})").format(name, columns))
            connection.execute(sql.SQL("DELETE FROM {}").format(name))
            connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(name, sql.Literal(medium.comment)))
            copy = sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(name)
            with connection.cursor() as cursor, cursor.copy(copy) as stream:
                for offset in range(0, len(frame), BLOCK_ROWS):
                    # An unquoted empty field is NULL.
                    lines = frame.slice(offset, BLOCK_ROWS).write_csv(None, include_header=False)
                    stream.write(lines.replace('""', ""))
            index = sql.Identifier(f"{table}_{medium.moment}")
            connection.execute(
                sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} ({})").format(index, name, sql.Identifier(medium.moment))
            )
            if known:
                connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(name, sql.Identifier(READER)))
            counts[table] = len(frame)
    return counts
