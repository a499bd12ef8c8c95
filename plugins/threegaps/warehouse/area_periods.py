"""Which counties and months rows in a table speak of, as the contract says.

`threegaps.batch.touched` has the same rule for rows that are still being judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from threegaps.contracts.model import Contract
from threegaps.contracts.options.deliveries import NO_END
from threegaps.ledger.touches import EARLIEST, OPEN_END, UNKNOWN_COUNTY, AreaPeriod
from threegaps.standards.areas import ELSEWHERE, OTHER_PROVINCES_AREA, UNKNOWN_AREA


def area_periods_in(
    connection: psycopg.Connection[Any],
    contract: Contract,
    table: sql.Identifier,
    condition: sql.Composable,
    *,
    alias: str = "b",
) -> set[AreaPeriod]:
    """Counties and months of the rows of *table* under *condition*, which calls the table *alias*."""
    touch = contract.touch
    first = _first_date(alias, touch.from_columns, fallback=sql.Literal(EARLIEST.isoformat()))
    last = _first_date(alias, [*touch.to_columns] or [*touch.from_columns], fallback=sql.SQL("'infinity'"))
    # A row of a feed without counties speaks of no known one.
    columns: list[sql.Composable] = [sql.Identifier(alias, column) for column in touch.county_columns]
    counties = sql.SQL(", ").join(columns or [sql.SQL("null::text")])
    areas = sql.SQL(", ").join(
        sql.SQL("coalesce(case when {column} ~ {elsewhere} then {outside} else {column} end, {unknown})").format(
            column=column,
            elsewhere=sql.Literal(ELSEWHERE),
            outside=sql.Literal(OTHER_PROVINCES_AREA),
            unknown=sql.Literal(UNKNOWN_AREA),
        )
        for column in columns or [sql.SQL("null::text")]
    )
    rows = connection.execute(
        sql.SQL(
            "select distinct county, date_trunc('month', first)::date,"
            " case when isfinite(last) then date_trunc('month', greatest(first, last))::date end from ("
            "select unnest(case when coalesce({counties}) is null then array[{unknown}]"
            " else array[{areas}] end) as county, {first} as first, {last} as last"
            " from {table} as {alias} where {condition}) as area_periods"
        ).format(
            counties=counties,
            areas=areas,
            unknown=sql.Literal(UNKNOWN_COUNTY),
            first=first,
            last=last,
            table=table,
            alias=sql.Identifier(alias),
            condition=condition,
        )
    ).fetchall()
    return {(str(row[0]), row[1], OPEN_END if row[2] is None else row[2]) for row in rows}


def _first_date(alias: str, columns: Iterable[str], *, fallback: sql.Composable) -> sql.Composed:
    parts: list[sql.Composable] = [
        sql.SQL("'infinity'::date") if column == NO_END else sql.SQL("{}::date").format(sql.Identifier(alias, column))
        for column in columns
    ]
    return sql.SQL("coalesce({})").format(sql.SQL(", ").join([*parts, sql.SQL("{}::date").format(fallback)]))
