"""What the catalogue of the server says of served tables, compared with the manifest."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from threegaps.marts.manifest import Manifest, ServedTable
from threegaps.release.rights import readers_of
from threegaps.release.served import stored_tables


def differences(connection: psycopg.Connection[Any], manifest: Manifest) -> list[str]:
    """What is served otherwise than the manifest says: tables, columns, types, comments, row security, rights."""
    found: list[str] = []
    for stored in stored_tables(manifest):
        name = f"{stored.table.schema}.{stored.table.name}"
        served = _columns(connection, name)
        if not served:
            found.append(f"{name} is missing")
            continue
        types = _declared(connection, stored.table)
        for column in stored.table.columns:
            kind, comment = served.get(column.name, ("", None))
            if not kind:
                found.append(f"{name}.{column.name} is missing")
            elif kind != types[column.name]:
                found.append(f"{name}.{column.name} is {kind}")
            elif (comment or "") != column.comment:
                found.append(f"{name}.{column.name} has another comment")
        readers = _readers_of(stored.table)
        # The past of exact figures is nobody's.
        past_readers = readers if stored.table.schema == "marts" else ()
        for rows, seen_by in (
            (f"{stored.table.schema}.{stored.name}", readers),
            (".".join(stored.past_name), past_readers),
        ):
            policies = connection.execute(
                "select c.relrowsecurity, count(p.policyname) from pg_class as c left join pg_policies as p"
                " on p.schemaname || '.' || p.tablename = %(name)s where c.oid = to_regclass(%(name)s) group by 1",
                {"name": rows},
            ).fetchone()
            if policies != (True, len(seen_by)):
                found.append(f"{rows} has other policies")
        for reader in readers_of(stored.table):
            row = connection.execute("select has_table_privilege(%s, %s, 'select')", [reader, name]).fetchone()
            if row is None or not row[0]:
                found.append(f"{reader} may not read {name}")
    return found


def _columns(connection: psycopg.Connection[Any], name: str) -> dict[str, tuple[str, str | None]]:
    """Type and comment of each column."""
    rows = connection.execute(
        "select attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum) from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [name],
    ).fetchall()
    return {column: (kind, comment) for column, kind, comment in rows}


def _declared(connection: psycopg.Connection[Any], table: ServedTable) -> dict[str, str]:
    """The declared types, as the server writes them."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.data_type)) for column in table.columns
    )
    connection.execute(sql.SQL("create temporary table declared ({})").format(columns))
    types = {name: kind for name, (kind, _) in _columns(connection, "pg_temp.declared").items()}
    connection.execute("drop table declared")
    return types


def _readers_of(table: ServedTable) -> tuple[str, ...]:
    """The roles that see rows of the table; without a county in it, officers see none."""
    sees_rows = table.row_policy in {"none", "audience"} or "area_code" in table.column_names
    return readers_of(table) if sees_rows else readers_of(table)[:1]
