"""Raw tables, made from contracts: typed, commented, keyed, partitioned by month where the month is part of the key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from threegaps.calendar import Delivery, add_months
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import RawColumn, raw_columns, raw_key
from threegaps.errors import ContractError

MONTHS_BACK = 24
"""How far back a delivery of a partitioned feed speaks as a rule; partitions for these months stand ready."""

# Room on each page for the versions that corrections write: they then stay on their page, and no index grows.
_FILL_FACTOR = 85


def ensure_tables(connection: psycopg.Connection[Any], contract: Contract) -> None:
    """Make the raw table of *contract* and its history unless they are there; a new nullable column is added.

    Raises:
        ContractError: A column that the table has is gone from the contract, has another type or became required:
            such a change needs a migration, not a load.
    """
    columns = raw_columns(contract)
    raw = sql.Identifier("raw", contract.table)
    history = sql.Identifier("raw_history", contract.table)
    known = _known_columns(connection, contract.table)
    if not known:
        body = [_definition(column) for column in columns]
        body.append(sql.SQL("primary key ({})").format(names(raw_key(contract))))
        partitioning = (
            sql.SQL(" partition by range ({})").format(sql.Identifier(contract.partition_column))
            if contract.partition_column
            else sql.SQL(" with (fillfactor = {})").format(sql.Literal(_FILL_FACTOR))
        )
        connection.execute(sql.SQL("create table {} ({}){}").format(raw, sql.SQL(", ").join(body), partitioning))
        connection.execute(
            sql.SQL(
                "create table {} ({}, _superseded_by_batch_id bigint not null,"
                " _superseded_at timestamptz not null default now())"
            ).format(history, sql.SQL(", ").join(_definition(column) for column in columns))
        )
        connection.execute(sql.SQL("create index on {} ({})").format(history, names(raw_key(contract))))
        for table, title in ((raw, contract.title_zh), (history, f"{contract.title_zh}(历史版本)")):
            connection.execute(sql.SQL("comment on table {} is {}").format(table, sql.Literal(title)))
            _comment(connection, table, columns)
        return
    _extend(connection, contract, columns, known)


def ensure_partitions(connection: psycopg.Connection[Any], contract: Contract, months: Iterable[dt.date]) -> None:
    """Make the partitions for these months (first days) unless they are there."""
    for month in sorted(set(months)):
        name = f"{contract.table}_{month:%Y_%m}"
        if connection.execute("select to_regclass(%s)", [f"raw.{name}"]).fetchone() != (None,):
            continue
        connection.execute(
            sql.SQL("create table {} partition of {} for values from ({}) to ({}) with (fillfactor = {})").format(
                sql.Identifier("raw", name),
                sql.Identifier("raw", contract.table),
                sql.Literal(month.isoformat()),
                sql.Literal(add_months(month, 1).isoformat()),
                sql.Literal(_FILL_FACTOR),
            )
        )


def usual_months(delivery: Delivery) -> list[dt.date]:
    """The months that a delivery of a partitioned feed speaks of as a rule."""
    last = delivery.end.replace(day=1)
    return [add_months(last, -back) for back in range(MONTHS_BACK, -1, -1)]


def names(columns: Iterable[str]) -> sql.Composed:
    """Column names, quoted and joined by commas."""
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)


def _definition(column: RawColumn) -> sql.Composed:
    return sql.SQL("{} {}{}").format(
        sql.Identifier(column.name),
        sql.SQL(column.sql_type),
        sql.SQL("" if column.nullable else " not null"),
    )


def _comment(connection: psycopg.Connection[Any], table: sql.Identifier, columns: Iterable[RawColumn]) -> None:
    for column in columns:
        connection.execute(
            sql.SQL("comment on column {}.{} is {}").format(
                table, sql.Identifier(column.name), sql.Literal(column.description_zh)
            )
        )


def _known_columns(connection: psycopg.Connection[Any], table: str) -> dict[str, str]:
    rows = connection.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [f"raw.{table}"],
    ).fetchall()
    return {str(row[0]): str(row[1]) for row in rows}


def _extend(
    connection: psycopg.Connection[Any], contract: Contract, columns: tuple[RawColumn, ...], known: dict[str, str]
) -> None:
    gone = known.keys() - {column.name for column in columns}
    if gone:
        raise ContractError(
            "The contract no longer has a column that the warehouse has.",
            feed=contract.feed,
            column=min(gone),
            advice="keep the column, or migrate raw and raw_history first.",
        )
    for column in columns:
        if column.name in known:
            wanted = connection.execute(f"select pg_typeof(null::{column.sql_type})::text").fetchone()
            base = known[column.name].split("(")[0]
            if wanted is not None and base != wanted[0]:
                raise ContractError(
                    f"The contract has type {column.sql_type}, the warehouse {known[column.name]}.",
                    feed=contract.feed,
                    column=column.name,
                    advice="migrate raw and raw_history first.",
                )
            continue
        if not column.nullable:
            raise ContractError(
                "A new required column cannot be added to rows that are there.",
                feed=contract.feed,
                column=column.name,
                advice="make it optional, or migrate raw and raw_history first.",
            )
        for schema in ("raw", "raw_history"):
            table = sql.Identifier(schema, contract.table)
            connection.execute(sql.SQL("alter table {} add column {}").format(table, _definition(column)))
            _comment(connection, table, [column])
