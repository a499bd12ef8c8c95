"""Tables by person, made anew from some of the persons: their rows must be the same as among all."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

HALVES = ("right(person_id::text, 1) < '8'", "right(person_id::text, 1) >= '8'")
"""Two sets of persons that share none and leave none out."""


def rows_that_depend_on_others(dsn: str, compiled: Path) -> dict[str, int]:
    """For each intermediate table by person, how many rows come out otherwise when the other half is not there.

    Args:
        dsn: A warehouse in which the models were built.
        compiled: The folder of dbt's compiled intermediate models.
    """
    with psycopg.connect(dsn) as connection:
        relations = connection.execute(
            "select c.table_catalog, c.table_schema, c.table_name from information_schema.columns as c"
            " join information_schema.tables as t using (table_schema, table_name)"
            " where c.column_name = 'person_id' and c.table_schema in ('core', 'build')"
        ).fetchall()
        by_person = {str(name) for _, schema, name in relations if schema == "build"}
        found = {path.stem: 0 for path in sorted(compiled.glob("*.sql")) if path.stem in by_person}
        for half in HALVES:
            connection.execute("drop schema if exists some_persons cascade; create schema some_persons")
            for _, schema, name in relations:
                connection.execute(
                    sql.SQL("create view some_persons.{} as select * from {} where {}").format(
                        sql.Identifier(name), sql.Identifier(schema, name), sql.SQL(half)
                    )
                )
            for model in found:
                text = (compiled / f"{model}.sql").read_text(encoding="utf-8")
                for catalog, schema, name in relations:
                    text = text.replace(f'"{catalog}"."{schema}"."{name}"', f'"some_persons"."{name}"')
                connection.execute(f"create temporary table anew on commit drop as {text}".encode())
                kept = sql.Identifier("some_persons", model)
                row = connection.execute(
                    sql.SQL(
                        "select (select count(*) from (table anew except all table {kept}) as more)"
                        " + (select count(*) from (table {kept} except all table anew) as fewer)"
                    ).format(kept=kept)
                ).fetchone()
                found[model] += 0 if row is None else int(row[0])
                connection.execute("drop table anew")
        connection.rollback()
    return found
