"""The key of a served table, moved in place when the project's key changes: name, rows, rights and policies stay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from threegaps.errors import ReleaseError
from threegaps.marts.manifest import ServedTable

# What a key column says of rows that were served before they had it. Only whole months, quarters and years were.
_BEFORE_IT_WAS_A_COLUMN = {
    "period_end": "(period_start + case period_type when 'month' then interval '1 month' when 'quarter' then"
    " interval '3 months' when 'year' then interval '1 year' end)::date - 1"
}


def fill_key(
    connection: psycopg.Connection[Any], relation: sql.Identifier, table: ServedTable, present: Iterable[str]
) -> None:
    """Give older rows of *relation* the key columns that they were served without, where these follow from others.

    Args:
        connection: The warehouse, as its owner.
        relation: A table of rows, serving or replaced.
        table: What the project says of it.
        present: The columns that it was served with.
    """
    for name, expression in _BEFORE_IT_WAS_A_COLUMN.items():
        if name in table.key and {"period_type", "period_start"} <= set(present):
            connection.execute(
                sql.SQL("update {0} set {1} = {2} where {1} is null").format(
                    relation, sql.Identifier(name), sql.SQL(expression)
                )
            )


def move_key(connection: psycopg.Connection[Any], relation: sql.Identifier, table: ServedTable) -> None:
    """Make the project's key the primary key of *relation*, unless it is already.

    The index is built beside the old one, so that readers wait for the exchange alone; all within the caller's
    transaction.

    Raises:
        ReleaseError: Rows that are served have no value of a column of the key, or one key twice.
    """
    present = _primary_key(connection, relation)
    if present is None or present[1] == table.key:
        return
    constraint, columns = present
    key = sql.SQL(", ").join(sql.Identifier(name) for name in table.key)
    missing = sql.SQL(" or ").join(sql.SQL("{} is null").format(sql.Identifier(name)) for name in table.key)
    row = connection.execute(
        sql.SQL(
            "select (select count(*) from {0} where {1}), (select count(*) from (select from {0} group by {2}"
            " having count(*) > 1) as twice)"
        ).format(relation, missing, key)
    ).fetchone()
    if row is None or row != (0, 0):
        raise ReleaseError(
            f"The key of {table.schema}.{table.name} cannot become {', '.join(table.key)}:"
            f" {row[0] if row else 0} served rows lack a part of it, {row[1] if row else 0} keys stand more than once.",
            advice="fill the columns by hand, or give the relation a new name.",
        )
    new = sql.Identifier(f"{table.name[:40]}_new_key")
    connection.execute(sql.SQL("create unique index {} on {} ({})").format(new, relation, key))
    connection.execute(
        sql.SQL("alter table {0} drop constraint {1}, add constraint {1} primary key using index {2}").format(
            relation, sql.Identifier(constraint), new
        )
    )
    for name in columns:
        if name not in table.key:
            connection.execute(
                sql.SQL("alter table {} alter column {} drop not null").format(relation, sql.Identifier(name))
            )


def _primary_key(connection: psycopg.Connection[Any], relation: sql.Identifier) -> tuple[str, tuple[str, ...]] | None:
    """Name and columns, in order, of the primary key of *relation*."""
    row = connection.execute(
        "select c.conname, array_agg(a.attname::text order by k.position) from pg_constraint as c"
        " cross join unnest(c.conkey) with ordinality as k (number, position)"
        " join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = k.number"
        " where c.conrelid = to_regclass(%s) and c.contype = 'p' group by 1",
        [relation.as_string(connection)],
    ).fetchone()
    return None if row is None else (str(row[0]), tuple(row[1]))
