"""Views of the serving side: they check the reader's own rights (but those of `live`), and only ever gain columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from threegaps.marts.manifest import ServedColumn

ViewColumn = tuple[str, str, str]
"""Name, expression and comment."""

_PROBE = sql.Identifier("probe_of_a_view")


def ensure_view(
    connection: psycopg.Connection[Any],
    relation: tuple[str, str],
    body: sql.Composable,
    columns: Sequence[ServedColumn],
    *,
    comment: str,
    readers: Sequence[str],
    has_owners_rights: bool = False,
) -> None:
    """Make *relation* the view of *body*, or leave it alone when it is already: replacing it would lock out readers.

    Args:
        connection: The warehouse, as its owner.
        relation: Schema and name.
        body: A query that gives all of *columns*.
        columns: Names and comments, in the order of a new view; one that exists keeps its order.
        comment: What the view says, in Chinese and in English.
        readers: The roles that may read it.
        has_owners_rights: It reads with its owner's rights what its readers have none on, and has to say itself who
            sees which rows; nothing that a reader asks is worked out on rows before it has.
    """
    name = sql.Identifier(*relation)
    present = columns_of(connection, *relation)
    given = [column.name for column in columns]
    selected = [
        # A column that we no longer give stays where readers find it, and is empty.
        sql.Identifier("v", column)
        if column in given
        else sql.SQL("null::{} as {}").format(sql.SQL(kind), sql.Identifier(column))
        for column, kind in present.items()
    ]
    selected += [sql.Identifier("v", column) for column in given if column not in present]
    query = sql.SQL("select {} from ({}) as v").format(sql.SQL(", ").join(selected), body)
    if not present or _differs(connection, relation, query):
        connection.execute(
            sql.SQL("create or replace view {} with ({}) as {}").format(
                name,
                sql.SQL("security_barrier = true" if has_owners_rights else "security_invoker = true"),
                query,
            )
        )
    if readers:
        connection.execute(sql.SQL("grant select on {} to {}").format(name, names(readers)))
    comment_on(connection, "view", name, comment)
    for column in columns:
        comment_on_column(connection, name, column)
    for left in present.keys() - set(given):
        comment_on_column(connection, name, ServedColumn(left, present[left], WITHDRAWN))


def ensure_view_of(
    connection: psycopg.Connection[Any],
    relation: tuple[str, str],
    columns: Sequence[ViewColumn],
    *,
    beginning: str = "",
    source: str,
    comment: str,
    readers: Sequence[str],
    has_owners_rights: bool = False,
) -> None:
    """Make *relation* the view that selects *columns*; see `ensure_view`.

    Args:
        connection: The warehouse, as its owner.
        relation: Schema and name.
        columns: Name, expression and comment of each column.
        beginning: What stands before ``select``: the common table expressions.
        source: From ``from`` on.
        comment: What the view says, in Chinese and in English.
        readers: The roles that may read it.
        has_owners_rights: See `ensure_view`.
    """
    selected = ", ".join(f"{expression} as {column}" for column, expression, _ in columns)
    ensure_view(
        connection,
        relation,
        sql.SQL(f"{beginning} select {selected} {source}"),
        [ServedColumn(column, "", said) for column, _, said in columns],
        comment=comment,
        readers=readers,
        has_owners_rights=has_owners_rights,
    )


WITHDRAWN = "不再提供 | no longer served"
"""Comment of a column that stays where readers name it, and is empty."""


def columns_of(connection: psycopg.Connection[Any], schema: str, name: str) -> dict[str, str]:
    """Columns of a relation with their types as PostgreSQL prints them, in order; none when there is no such one."""
    rows = connection.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        [f'"{schema}"."{name}"'],
    ).fetchall()
    return {str(column): str(kind) for column, kind in rows}


def comment_on(connection: psycopg.Connection[Any], kind: str, relation: sql.Identifier, text: str) -> None:
    """Say what a table or view is."""
    connection.execute(sql.SQL("comment on {} {} is {}").format(sql.SQL(kind), relation, sql.Literal(text)))


def comment_on_column(connection: psycopg.Connection[Any], relation: sql.Identifier, column: ServedColumn) -> None:
    """Say what a column is."""
    connection.execute(
        sql.SQL("comment on column {}.{} is {}").format(
            relation, sql.Identifier(column.name), sql.Literal(column.comment)
        )
    )


def names(columns: Sequence[str]) -> sql.Composed:
    """A list of identifiers."""
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)


def _differs(connection: psycopg.Connection[Any], relation: tuple[str, str], query: sql.Composable) -> bool:
    """Whether the view says something else than *query*, both as the server prints them."""
    connection.execute(sql.SQL("create temporary view {} as {}").format(_PROBE, query))
    row = connection.execute(
        "select pg_get_viewdef(to_regclass(%s)) is distinct from pg_get_viewdef('pg_temp.probe_of_a_view'::regclass)",
        ['"{}"."{}"'.format(*relation)],
    ).fetchone()
    connection.execute(sql.SQL("drop view pg_temp.{}").format(_PROBE))
    return row is None or bool(row[0])
