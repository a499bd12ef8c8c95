"""Whether two builds left the same rows: a sum of hashes of each table that a build leaves for others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

SCHEMAS = ("core", "build")
# What only this build's slices need is work of the build, and differs with what was claimed.
WORK_PREFIX = "int_"


def kept_tables(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """For each relation that a build leaves, its number of rows and the sum of their hashes."""
    names = connection.execute(
        "select table_schema, table_name from information_schema.tables where table_schema = any(%s)"
        " and not starts_with(table_name, %s) order by 1, 2",
        [list(SCHEMAS), WORK_PREFIX],
    ).fetchall()
    return {f"{schema}.{name}": _content(connection, sql.Identifier(schema, name)) for schema, name in names}


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Names of the relations that are not the same in both."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def _content(connection: psycopg.Connection[Any], table: sql.Identifier) -> str:
    row = connection.execute(
        sql.SQL("select count(*), sum(hashtextextended(r::text, 0)::numeric) from {} as r").format(table)
    ).fetchone()
    return "nothing" if row is None else f"{row[0]} {row[1]}"
