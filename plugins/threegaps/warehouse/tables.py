"""Raw tables, made from contracts: typed, commented, keyed, partitioned by month where the month is part of the key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from threegaps.calendar import Delivery, add_months
from threegaps.contracts.model import Contract
from threegaps.contracts.tables import RawColumn, raw_columns, raw_key
from threegaps.errors import ContractError
from threegaps.ledger.coverage import record_feed

MONTHS_BACK = 24
"""How far back a delivery of a partitioned feed speaks as a rule; partitions for these months stand ready."""

# Room on each page for the versions that corrections write: they then stay on their page, and no index grows.
_FILL_FACTOR = 85


@dataclass(frozen=True, slots=True)
class _Shape:
    """Columns of a table by name, each with its type and whether it is required, and the primary key's in order."""

    columns: Mapping[str, tuple[str, bool]]
    key: tuple[str, ...]


def ensure_tables(connection: psycopg.Connection[Any], contract: Contract) -> None:
    """Make the raw table of *contract* and its history unless they are there; a new nullable column is added.

    The ledger notes how the feed is delivered, and since when.

    Raises:
        ContractError: A column that the table has is gone from the contract, has another type, or is required in one
            of the two only; or the key is another: such a change needs a migration, not a load.
    """
    columns = raw_columns(contract)
    raw = sql.Identifier("raw", contract.table)
    history = sql.Identifier("raw_history", contract.table)
    known = _shape(connection, f"raw.{contract.table}")
    if known is None:
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
    else:
        _extend(connection, contract, columns, known)
    for schema in ("raw", "raw_history"):
        _comment(connection, schema, contract.table, columns)
    record_feed(
        connection,
        contract.feed,
        delivery_kind=contract.delivery_kind,
        first_day=contract.covers_from or Delivery.parse(contract.cadence, contract.first_delivery).start,
    )


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


def _comment(connection: psycopg.Connection[Any], schema: str, table: str, columns: Iterable[RawColumn]) -> None:
    """Give the columns the comments that the contract has now, where the server has others."""
    present = dict(
        connection.execute(
            "select attname, col_description(attrelid, attnum) from pg_attribute"
            " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
            [f"{schema}.{table}"],
        ).fetchall()
    )
    for column in columns:
        if present.get(column.name) != column.comment:
            connection.execute(
                sql.SQL("comment on column {}.{} is {}").format(
                    sql.Identifier(schema, table), sql.Identifier(column.name), sql.Literal(column.comment)
                )
            )


def _shape(connection: psycopg.Connection[Any], table: str) -> _Shape | None:
    """What the server says of *table*; None where it is not there."""
    columns = connection.execute(
        "select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [table],
    ).fetchall()
    key = connection.execute(
        "select a.attname from pg_index as i, unnest(i.indkey) with ordinality as k (attnum, number), pg_attribute as a"
        " where i.indrelid = to_regclass(%s) and i.indisprimary and a.attrelid = i.indrelid and a.attnum = k.attnum"
        " order by k.number",
        [table],
    ).fetchall()
    if not columns:
        return None
    return _Shape({str(name): (str(form), bool(fixed)) for name, form, fixed in columns}, tuple(row[0] for row in key))


def _wanted_shape(
    connection: psycopg.Connection[Any], contract: Contract, columns: tuple[RawColumn, ...]
) -> _Shape | None:
    """The shape that the contract asks for, in the server's own words: only those can be compared exactly."""
    with connection.transaction():
        connection.execute(
            sql.SQL("create temporary table contract_shape ({}, primary key ({}))").format(
                sql.SQL(", ").join(_definition(column) for column in columns), names(raw_key(contract))
            )
        )
        wanted = _shape(connection, "pg_temp.contract_shape")
        connection.execute("drop table pg_temp.contract_shape")
    return wanted


def _extend(
    connection: psycopg.Connection[Any], contract: Contract, columns: tuple[RawColumn, ...], known: _Shape
) -> None:
    wanted = _wanted_shape(connection, contract, columns)
    assert wanted is not None  # noqa: S101  # it was made just now
    gone = known.columns.keys() - wanted.columns.keys()
    if gone:
        raise _refusal(contract, min(gone), "The contract no longer has a column that the warehouse has.", "keep it")
    for name, (form, is_required) in wanted.columns.items():
        if name not in known.columns:
            if is_required:
                raise _refusal(
                    contract, name, "A new required column cannot be added to rows that are there.", "make it optional"
                )
            continue
        known_form, was_required = known.columns[name]
        if form != known_form:
            said = f"The contract has type {form}, the warehouse {known_form}."
            raise _refusal(contract, name, said, "keep the type")
        if is_required != was_required:
            words = {True: "required", False: "optional"}
            said = f"The column is {words[is_required]} in the contract, and {words[was_required]} in the warehouse."
            raise _refusal(contract, name, said, f"keep it {words[was_required]}")
    if wanted.key != known.key:
        said = f"The contract's key is {', '.join(wanted.key)}; the warehouse's is {', '.join(known.key)}."
        changed = next((name for name in (*wanted.key, *known.key) if (name in wanted.key) != (name in known.key)), "")
        raise _refusal(contract, changed or wanted.key[0], said, "keep the key")
    for column in columns:
        if column.name in known.columns:
            continue
        for schema in ("raw", "raw_history"):
            table = sql.Identifier(schema, contract.table)
            connection.execute(sql.SQL("alter table {} add column {}").format(table, _definition(column)))


def _refusal(contract: Contract, column: str, said: str, way_out: str) -> ContractError:
    return ContractError(
        said, feed=contract.feed, column=column, advice=f"{way_out}, or migrate raw and raw_history first."
    )
