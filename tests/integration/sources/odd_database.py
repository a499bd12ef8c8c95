"""A department's database, as its administrator sees and spoils it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.integration.sources.conftest import SmallFeed
from tests.integration.sources.small_contract import CHANGES, CSV
from threegaps.one_machine.postgres import PostgresServer, ensure_database, ensure_role

SOURCE: dict[str, Any] = {"protocol": "database", "schemaName": "public", "table": "rows"}
COLUMNS = "id text, county text, day text, updated timestamp"
_numbers = itertools.count(1)


@dataclass
class Department:
    """A departmental database, as its administrator sees it."""

    feed: SmallFeed
    server: PostgresServer
    name: str
    reader: str
    connection: psycopg.Connection[Any]

    def connect(self, **extra: Any) -> None:
        """Let the pipeline's connection lead here."""
        self.feed.connect(
            conn_type="postgres",
            host="127.0.0.1",
            port=self.server.port,
            login=self.reader,
            password="reader",
            schema=self.name,
            extra=extra,
        )

    def table(self, columns: str = COLUMNS) -> None:
        self.connection.execute(f"drop table if exists public.rows; create table public.rows ({columns})")
        self.connection.execute(f"grant select on public.rows to {self.reader}")

    def insert(self, first: int, *updated: str | None) -> None:
        for number, time in enumerate(updated, first):
            self.connection.execute(
                "insert into public.rows values (%s, '330106', '2026-05-01', %s)", [f"{number:08d}", time]
            )


def made(feed: SmallFeed, postgres: PostgresServer, encoding: str | None = None) -> Iterator[Department]:
    name, reader = f"odd_{next(_numbers)}", f"odd_reader_{next(_numbers)}"
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        ensure_role(connection, reader, password="reader")
        if encoding is None:
            ensure_database(connection, name, owner="threegaps")
        else:
            connection.execute(
                f"create database {name} encoding '{encoding}' lc_collate 'C' lc_ctype 'C' template template0"
            )
        connection.execute(f"grant connect on database {name} to {reader}")
    with psycopg.connect(postgres.dsn(name), autocommit=True) as connection:
        one = Department(feed, postgres, name, reader, connection)
        one.connect()
        one.table()
        feed.comes_by(SOURCE, CHANGES, CSV)
        yield one
