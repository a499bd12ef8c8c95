"""Who reads what is served: rights on schemas and relations, and which rows of them."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg
from psycopg import sql

from threegaps.marts.manifest import ServedTable
from threegaps.release.views import names

READERS = ("bi_reader", "county_reader")
EXACT_READERS = ("statistician",)
"""A county reads its own exact rows through ``marts.county_value`` alone: it has no right on the table."""


def readers_of(table: ServedTable) -> tuple[str, ...]:
    """The role that reads all rows of *table*, and the one, if any, that reads those of its county."""
    return READERS if table.schema == "marts" else EXACT_READERS


def open_schemas(connection: psycopg.Connection[Any]) -> None:
    """Let readers name what stands in the served schemas."""
    for schema in ("marts", "history"):
        connection.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(schema), names(READERS)))
    connection.execute(sql.SQL("grant usage on schema exact to {}").format(sql.Identifier(EXACT_READERS[0])))
    connection.execute(sql.SQL("grant select on marts.dim_release to {}").format(names(READERS)))


def protect(connection: psycopg.Connection[Any], schema: str, name: str, table: ServedTable) -> None:
    """Grant readers the rows of ``schema.name`` that *table* lets them see, and no others."""
    relation = sql.Identifier(schema, name)
    is_hidden = table.schema != "marts" and name != table.name
    if not is_hidden:
        connection.execute(sql.SQL("grant select on {} to {}").format(relation, names(readers_of(table))))
    wanted = [] if is_hidden else _policies(table)
    present = _policies_of(connection, schema, name)
    row = connection.execute(
        "select relrowsecurity from pg_class where oid = to_regclass(%s)", [f'"{schema}"."{name}"']
    ).fetchone()
    if row is None or not row[0]:
        connection.execute(sql.SQL("alter table {} enable row level security").format(relation))
    for policy, role, condition in wanted:
        if policy not in present:
            connection.execute(
                sql.SQL("create policy {} on {} for select to {} using ({})").format(
                    sql.Identifier(policy), relation, sql.Identifier(role), sql.SQL(condition)
                )
            )
    for policy in present - {policy for policy, _, _ in wanted}:
        connection.execute(sql.SQL("drop policy {} on {}").format(sql.Identifier(policy), relation))


def _policies(table: ServedTable) -> list[tuple[str, str, str]]:
    """Name, role and condition of each policy; the name carries a hash of the condition."""
    # The sub-select is worked out once a statement, not once a row; in a role name's collation no index would serve it.
    own = 'area_code = (select marts.county_of(current_user) collate "default")'
    everyone, *counties = readers_of(table)
    conditions = {everyone: "true"}
    for county in counties:
        if table.row_policy == "none":
            conditions[county] = "true"
        elif table.row_policy == "audience":
            conditions[county] = f"audience = 'public' or {own}"
        elif "area_code" in table.column_names:
            conditions[county] = own
    return [
        (f"{role}_{hashlib.sha256(condition.encode()).hexdigest()[:10]}", role, condition)
        for role, condition in conditions.items()
    ]


def _policies_of(connection: psycopg.Connection[Any], schema: str, name: str) -> set[str]:
    rows = connection.execute(
        "select policyname from pg_policies where schemaname = %s and tablename = %s", [schema, name]
    ).fetchall()
    return {str(row[0]) for row in rows}
