"""The departmental PostgreSQL database: tables dy13 (就业登记) and zs01 (证书), AAC/AAB field codes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import psycopg
from psycopg import sql

TABLES = {
    "dy13": "就业登记（合成数据）",
    "zs01": "职业技能证书（合成数据）",
}
READER = "department_reader"


def state(home: Path, table: str, as_of: str | None) -> pl.DataFrame:
    """Rows of a table as the department held them at `as_of` (Shanghai wall clock); None = at the end."""
    rows = pl.read_parquet(home / "database" / f"{table}.parquet")
    if as_of is None:
        return rows.filter(pl.col("_until") == "").drop("_until")
    return rows.filter((pl.col("aae036") <= as_of) & ((pl.col("_until") == "") | (pl.col("_until") > as_of))).drop(
        "_until"
    )


def load(home: Path | str, dsn: str, as_of: str | None = None) -> dict[str, int]:
    """(Re)fill both tables in one transaction; grants reading to `department_reader` where it exists.

    Returns row counts.
    """
    counts: dict[str, int] = {}
    with psycopg.connect(dsn) as connection:
        for table, comment in TABLES.items():
            frame = state(Path(home), table, as_of)
            name = sql.Identifier("public", table)
            columns = sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL("timestamp" if column == "aae036" else "text"))
                for column in frame.columns
            )
            connection.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} ({})").format(name, columns))
            connection.execute(sql.SQL("TRUNCATE {}").format(name))
            connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(name, sql.Literal(comment)))
            copy = sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(name)
            with connection.cursor() as cursor, cursor.copy(copy) as stream:
                for offset in range(0, len(frame), 200_000):
                    # An unquoted empty field is NULL.
                    stream.write(frame.slice(offset, 200_000).write_csv(None, include_header=False).replace('""', ""))
            index = sql.Identifier(f"{table}_aae036")
            connection.execute(sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} (aae036)").format(index, name))
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER]).fetchone()
            if known:
                connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(name, sql.Identifier(READER)))
            counts[table] = len(frame)
    return counts
