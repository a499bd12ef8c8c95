"""What must hold before a build may serve; a finding leaves the last release serving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from threegaps.marts.manifest import Manifest
from threegaps.release.served import StoredTable, stored_tables
from threegaps.release.views import columns_of

FEWEST_TO_COMPARE = 100
"""Served rows below which a shrinking table says nothing."""
SMALLEST_SHARE = 0.5
"""Share of the served rows that a build must have again."""

_CELL = ("indicator_code", "area_code", "period_type", "period_end", "breakdown", "breakdown_value")
_FIGURES = ("numerator", "denominator", "value", "target_progress", "change_on_year")


def findings(
    connection: psycopg.Connection[Any], manifest: Manifest, *, accepted: frozenset[str] = frozenset()
) -> list[str]:
    """Everything that speaks against a release, each as one sentence that begins with the check's name.

    Args:
        connection: The warehouse, as its owner.
        manifest: The parsed dbt project.
        accepted: Names of checks not to run: ``keys``, ``numbers``, ``sums``, ``counted``, ``valued``,
            ``rounded``, ``suppression``, ``row_count``.
    """
    checks: dict[str, Callable[[psycopg.Connection[Any], Manifest], list[str]]] = {
        "keys": _keys,
        "numbers": _numbers,
        "sums": _sums,
        "counted": _counted,
        "valued": _valued,
        "rounded": _rounded,
        "suppression": _suppression,
        "row_count": _row_count,
    }
    return [
        f"{name}: {finding}"
        for name, check in checks.items()
        if name not in accepted
        for finding in check(connection, manifest)
    ]


def _keys(connection: psycopg.Connection[Any], manifest: Manifest) -> list[str]:
    found = []
    for stored in stored_tables(manifest):
        key = sql.SQL(", ").join(sql.Identifier(name) for name in stored.table.key)
        empty = sql.SQL(" or ").join(sql.SQL("{} is null").format(sql.Identifier(name)) for name in stored.table.key)
        twice = _count(
            connection,
            sql.SQL("select count(*) from (select from {} group by {} having count(*) > 1) as k").format(
                stored.built, key
            ),
        )
        missing = _count(connection, sql.SQL("select count(*) from {} where {}").format(stored.built, empty))
        if twice or missing:
            found.append(f"{stored.label} has {twice} keys more than once and {missing} rows without a key")
    return found


def _numbers(connection: psycopg.Connection[Any], manifest: Manifest) -> list[str]:
    found = []
    for stored in stored_tables(manifest):
        numeric = [
            column.name
            for column in stored.table.columns
            if column.data_type.split("(")[0].strip() in {"numeric", "decimal", "real", "double precision"}
        ]
        if not numeric:
            continue
        strange = sql.SQL(" or ").join(
            sql.SQL("{}::text in ('NaN', 'Infinity', '-Infinity')").format(sql.Identifier(name)) for name in numeric
        )
        count = _count(connection, sql.SQL("select count(*) from {} where {}").format(stored.built, strange))
        if count:
            found.append(f"{stored.label} has {count} rows with a figure that is no number")
    return found


def _sums(connection: psycopg.Connection[Any], manifest: Manifest) -> list[str]:
    """The province of an indicator that adds up is the sum of its counties, before anything is suppressed."""
    if not _has_cells(manifest):
        return []
    rows = connection.execute(
        "with cell as (select c.* from build.indicator_cell as c join core.seed_indicator as i using (indicator_code)"
        " join core.seed_method as m using (method) where m.is_additive), of as (select indicator_code, period_type,"
        " period_end, breakdown,"
        " breakdown_value, sum(numerator) filter (where area_level in ('county', 'other')) as counties_n,"
        " sum(numerator) filter (where area_level = 'province') as province_n,"
        " sum(denominator) filter (where area_level in ('county', 'other')) as counties_d,"
        " sum(denominator) filter (where area_level = 'province') as province_d from cell group by 1, 2, 3, 4, 5)"
        " select indicator_code, count(*), min(period_end) from of"
        " where counties_n is distinct from province_n or counties_d is distinct from province_d group by 1 order by 1"
    ).fetchall()
    return [
        f"{code} of the province is not the sum of its counties in {count} cells, first in the period to {last}"
        for code, count, last in rows
    ]


def _counted(connection: psycopg.Connection[Any], manifest: Manifest) -> list[str]:
    """A figure on persons or employers says how many it rests on: without, nothing tells that it is too small."""
    if not _has_cells(manifest):
        return []
    rows = connection.execute(
        "select c.indicator_code, i.disclosure, count(*), min(c.period_end) from build.indicator_cell as c"
        " join core.seed_indicator as i using (indicator_code)"
        " where coalesce(c.value, c.numerator, c.denominator) is not null"
        " and (i.disclosure = 'persons' and c.n_persons is null"
        " or i.disclosure = 'employers' and c.n_employers is null)"
        " group by 1, 2 order by 1"
    ).fetchall()
    return [
        f"{code} does not say on how many {disclosure} it rests in {count} cells, first in the period to {last}"
        for code, disclosure, count, last in rows
    ]


def _valued(connection: psycopg.Connection[Any], manifest: Manifest) -> list[str]:
    """A figure that may be shown has its value: a method without a rule for what is shown would lose it silently."""
    if not _has_cells(manifest):
        return []
    rows = connection.execute(
        "select v.indicator_code, count(*), min(v.period_end) from build.indicator_value as v"
        " join build.indicator_cell as c"
        f" using ({', '.join(_CELL)})"
        " where v.value is null and c.value is not null and v.value_status <> 'suppressed' group by 1 order by 1"
    ).fetchall()
    return [
        f"{code} has a value that is not hidden and not shown in {count} cells, first in the period to {last}"
        for code, count, last in rows
    ]


def _rounded(connection: psycopg.Connection[Any], manifest: Manifest) -> list[str]:
    """What is shown of persons is the middle of its ten, but in the totals of the province."""
    if not _has_cells(manifest):
        return []
    rows = connection.execute(
        "select v.indicator_code, count(*), min(v.period_end) from build.indicator_value as v"
        " join core.seed_indicator as i using (indicator_code) join core.seed_method as m using (method)"
        " where i.disclosure in ('persons', 'employers') and m.numerator_is = 'count'"
        " and m.value_from <> 'ratio_of_quotients'"
        " and not (v.area_level = 'province' and v.breakdown = 'total')"
        " and (v.numerator % 10 <> 5 or v.denominator % 10 <> 5) group by 1 order by 1"
    ).fetchall()
    return [
        f"{code} shows persons that are not in tens in {count} cells, first in the period to {last}"
        for code, count, last in rows
    ]


def _suppression(connection: psycopg.Connection[Any], manifest: Manifest) -> list[str]:
    """A suppressed cell says no figure, in its own relation and in every other that readers have."""
    stored = next((stored for stored in stored_tables(manifest) if stored.is_stamped), None)
    if stored is None:
        return []
    found = []
    said = sql.SQL(" or ").join(
        sql.SQL("{} is not null").format(sql.Identifier(name)) for name in _FIGURES if name in stored.table.column_names
    )
    suppressed = sql.SQL("(select * from {} where value_status = 'suppressed')").format(stored.built)
    count = _count(connection, sql.SQL("select count(*) from {} as s where {}").format(suppressed, said))
    if count:
        found.append(f"{count} suppressed cells carry a figure")
    for other in stored_tables(manifest):
        if other.is_stamped or other.table.schema != "marts":
            continue
        if set(_CELL) <= set(other.table.key):
            key = sql.SQL(", ").join(sql.Identifier(name) for name in _CELL)
            count = _count(
                connection,
                sql.SQL("select count(*) from {} join {} as s using ({})").format(other.built, suppressed, key),
            )
            if count:
                found.append(f"{other.label} speaks of {count} suppressed cells")
        elif {"area_code", "period_type", "period_end"} <= set(other.table.key):
            found += _wide(connection, other, suppressed)
    return found


def _wide(connection: psycopg.Connection[Any], stored: StoredTable, suppressed: sql.Composed) -> list[str]:
    found = []
    for column in stored.table.columns:
        if column.cell is None or column.is_status:
            continue
        count = _count(
            connection,
            sql.SQL(
                "select count(*) from {} as w join {} as s using (area_code, period_type, period_end)"
                " where (s.indicator_code, s.breakdown, s.breakdown_value) = ({}) and w.{} is not null"
            ).format(
                stored.built,
                suppressed,
                sql.SQL(", ").join(sql.Literal(part) for part in column.cell),
                sql.Identifier(column.name),
            ),
        )
        if count:
            found.append(f"{stored.label}.{column.name} shows {count} suppressed cells")
    return found


def _row_count(connection: psycopg.Connection[Any], manifest: Manifest) -> list[str]:
    found = []
    for stored in stored_tables(manifest):
        built = _count(connection, sql.SQL("select count(*) from {}").format(stored.built))
        served = 0
        # A table that is served for the first time is made by the release.
        if columns_of(connection, stored.table.schema, stored.name):
            served = _count(connection, sql.SQL("select count(*) from {}").format(stored.rows))
        if served >= FEWEST_TO_COMPARE and built < served * SMALLEST_SHARE:
            found.append(f"{stored.label} would shrink from {served} to {built} rows")
    return found


def _has_cells(manifest: Manifest) -> bool:
    return any(node["name"] == "indicator_cell" for node in manifest.nodes.values())


def _count(connection: psycopg.Connection[Any], query: sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    return 0 if row is None else int(row[0])
