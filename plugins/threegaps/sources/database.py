"""A department's own PostgreSQL database: one table, read by windows of its update time.

The server writes the rows as CSV (COPY), every column as text, with NULL as an empty field; what it sends is landed as
it comes. The window is read in one snapshot, so rows that change meanwhile belong to the next window.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql

from threegaps import connections
from threegaps.contracts.model import Contract
from threegaps.contracts.options.sources import DatabaseSource
from threegaps.errors import ContractError, FeedError
from threegaps.landing.store import Arrival
from threegaps.sources.model import refused_login, unreachable

_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 1800
# The server gives no code before a session stands, only its message, in its own language.
_BAD_LOGIN = ("authentication failed", "does not exist", "permission denied", "认证失败", "不存在", "权限不够")


class DatabaseTable:
    """One table of a department's database; see `open_table`."""

    def __init__(self, contract: Contract, connection: psycopg.Connection[Any]) -> None:
        self._contract = contract
        self._connection = connection
        source = contract.source
        if not isinstance(source, DatabaseSource) or contract.watermark is None:
            raise ContractError("The feed is no table that is read by windows.", feed=contract.feed)
        self._schema, self._table = source.schema_name, source.table
        self._field = contract.by_name[contract.watermark.column].source_name

    def window(self, updated_from: str, updated_to: str) -> Arrival:
        """The rows updated from *updated_from* (inclusive) to *updated_to* (exclusive), as one part."""
        return Arrival(
            part="window",
            source_name=f"{self._schema}.{self._table}.csv",
            chunks=lambda: self._copy(updated_from, updated_to),
            watermark_from=updated_from,
            watermark_to=updated_to,
        )

    def _copy(self, updated_from: str, updated_to: str) -> Iterator[bytes]:
        try:
            with self._connection.transaction():
                self._connection.execute("set transaction isolation level repeatable read, read only")
                # Every column that the table has now: a new or a missing one is for the contract's rules to judge.
                selected = sql.SQL(", ").join(
                    sql.SQL("{0}::text as {0}").format(sql.Identifier(name)) for name in self._columns()
                )
                field = sql.Identifier(self._field)
                command = sql.SQL(
                    "copy (select {} from {} where {} >= {}::timestamp and {} < {}::timestamp order by {})"
                    " to stdout (format csv, header)"
                ).format(
                    selected,
                    sql.Identifier(self._schema, self._table),
                    field,
                    sql.Literal(updated_from),
                    field,
                    sql.Literal(updated_to),
                    field,
                )
                with self._connection.cursor() as cursor, cursor.copy(command) as copy:
                    for chunk in copy:
                        yield bytes(chunk)
        except errors.InsufficientPrivilege as error:
            raise refused_login(self._contract, str(error).strip().split("\n")[0]) from error
        except psycopg.OperationalError as error:
            raise unreachable(self._contract, f"the connection broke ({type(error).__name__}).") from error

    def _columns(self) -> list[str]:
        rows = self._connection.execute(
            "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped"
            " order by attnum",
            [f'"{self._schema}"."{self._table}"'],
        ).fetchall()
        names = [str(row[0]) for row in rows]
        if self._field not in names:
            missing = f"column {self._field!r}" if names else "table"
            raise FeedError(
                f"The department's database has no {missing} where the contract says.",
                feed=self._contract.feed,
                file=f"{self._schema}.{self._table}",
                column=self._field if names else None,
                advice="ask the department what was renamed, then mend the contract.",
            )
        return names


@contextmanager
def open_table(contract: Contract) -> Iterator[DatabaseTable]:
    """The table of *contract*'s connection.

    Raises:
        FeedError: The login is not accepted.
        SourceUnavailableError: The database does not answer.
    """
    connection = connections.get(contract.connection_id)
    try:
        opened = psycopg.connect(
            host=connection.host,
            port=connection.port or 5432,
            user=connection.login,
            password=connection.password,
            dbname=connection.schema,
            connect_timeout=_CONNECT_SECONDS,
            autocommit=True,
            options=f"-c datestyle=ISO -c statement_timeout={_STATEMENT_SECONDS}s",
            application_name="threegaps",
        )
    except psycopg.OperationalError as error:
        lines = str(error).strip().split("\n")
        reason = next((line for line in lines if any(word in line for word in _BAD_LOGIN)), None)
        if reason is not None:
            raise refused_login(contract, reason) from error
        raise unreachable(contract, lines[-1]) from error
    with opened:
        yield DatabaseTable(contract, opened)
