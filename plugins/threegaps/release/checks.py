"""What must hold before a build may serve; a finding leaves the last release serving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from threegaps.marts.manifest import Manifest
from threegaps.release import identities
from threegaps.release.blanking import CELL_KEY, FIGURES
from threegaps.release.served import StoredTable, stored_tables
from threegaps.release.views import columns_of

FEWEST_TO_COMPARE = 100
"""Served rows below which a shrinking table says nothing."""
SMALLEST_SHARE = 0.5
"""Share of the served rows that a build must have again."""

# A cell that is hidden is one without a way of rounding. Of the county groups each is served in a way of its own.
_ROWS = """
with cell as (
    select v.indicator_code, v.area_code, v.area_level, v.period_type, v.period_end, v.breakdown, v.rounding, p.leads,
        case when v.area_level = 'group' then v.area_code else v.area_level end as alike
    from build.indicator_value as v
    inner join core.seed_indicator as i using (indicator_code)
    left join core.indicator_part as p using (indicator_code, breakdown, breakdown_value, area_level)
    where i.disclosure <> 'none'
),
area as (
    select cell.*, t.rounding is null and t.indicator_code is not null as is_below_hidden,
        cell.breakdown <> 'total' and t.indicator_code is null as has_no_total
    from cell
    left join (select * from cell where breakdown = 'total') as t
        using (indicator_code, area_code, period_type, period_end)
),
counted as (
    select indicator_code, area_level, alike, area_code, period_type, period_end,
        count(*) filter (where leads) as leads, count(*) filter (where not leads) as parts,
        bool_or(is_below_hidden) as is_below_hidden
    from area
    group by indicator_code, area_level, alike, area_code, period_type, period_end
),
declared as (
    select indicator_code, area_level, count(*) filter (where not leads) as parts
    from core.indicator_part group by indicator_code, area_level
),
existing as (
    select c.indicator_code, c.period_end, c.areas, count(*) as existing
    from (
        select indicator_code, area_level, period_type, period_end, count(*) as areas
        from counted where area_level <> 'group' group by indicator_code, area_level, period_type, period_end
    ) as c
    inner join core.dim_area as a
        on c.area_level = a.area_level and c.period_end >= a.valid_from and c.period_end < a.valid_to
    group by c.indicator_code, c.area_level, c.period_type, c.period_end, c.areas
),
fault as (
    select indicator_code, 'has rows that seed_indicator_breakdown does not name' as fault, period_end
    from cell where leads is null
    union all
    select indicator_code, 'has parts below a hidden total', period_end
    from area where not leads and (is_below_hidden or has_no_total)
    union all
    select indicator_code, 'has not the same parts below every total that is shown', min(period_end)
    from counted where not is_below_hidden
    group by indicator_code, alike, period_type having count(distinct parts) > 1
    union all
    -- of cities and the province nothing is left out but the parts of cities' months
    select c.indicator_code, 'has not all its parts below a total that is shown', c.period_end
    from counted as c
    inner join declared as d using (indicator_code, area_level)
    where not c.is_below_hidden and c.area_level in ('city', 'province') and c.parts <> d.parts
        and (c.area_level, c.period_type) <> ('city', 'month')
    union all
    select indicator_code, 'has not the same rows for every area', min(period_end)
    from counted group by indicator_code, alike, period_type having count(distinct leads) > 1
    union all
    select indicator_code, 'has no rows for some areas', period_end from existing where areas <> existing
)
select indicator_code, fault, count(*), min(period_end) from fault group by indicator_code, fault order by 1, 2
"""


def findings(
    connection: psycopg.Connection[Any], manifest: Manifest, *, accepted: frozenset[str] = frozenset()
) -> list[str]:
    """Everything that speaks against a release, each as one sentence that begins with the check's name.

    Args:
        connection: The warehouse, as its owner.
        manifest: The parsed dbt project.
        accepted: Names of checks not to run: ``keys``, ``numbers``, ``sums``, ``counted``, ``valued``,
            ``rounded``, ``suppression``, ``rows``, ``identities``, ``row_count``.
    """
    checks: dict[str, Callable[[psycopg.Connection[Any], Manifest], list[str]]] = {
        "keys": _keys,
        "numbers": _numbers,
        "sums": _sums,
        "counted": _counted,
        "valued": _valued,
        "rounded": _rounded,
        "suppression": _suppression,
        "rows": _rows,
        "identities": _identities,
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
    """The province of what adds up and has counties is their sum, before anything is suppressed."""
    if not _has_cells(manifest):
        return []
    rows = connection.execute(
        # What nobody supplied adds nothing: where no county that has any supplied it, nor did the province.
        "with cell as (select c.*, coalesce(numerator, case value_status when 'not_supplied' then 0 end) as known"
        " from build.indicator_cell as c join core.seed_indicator as i using (indicator_code)"
        " join core.seed_method as m using (method)"
        " join core.indicator_part as p using (indicator_code, breakdown, breakdown_value)"
        " where m.is_additive and p.area_level = 'county'),"
        " of as (select indicator_code, period_type,"
        " period_end, breakdown,"
        " breakdown_value, sum(known) filter (where area_level in ('county', 'other')) as counties_n,"
        " sum(known) filter (where area_level = 'province') as province_n,"
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
    """A figure says on how many persons it rests, or on how many employers and what the largest of them has.

    Without, nothing tells that it is too small.
    """
    if not _has_cells(manifest):
        return []
    rows = connection.execute(
        "select c.indicator_code, i.disclosure, count(*), min(c.period_end) from build.indicator_measured as c"
        " join core.seed_indicator as i using (indicator_code)"
        " where coalesce(c.value, c.numerator, c.denominator) is not null"
        " and (i.disclosure = 'persons' and c.n_persons is null"
        " or i.disclosure = 'employers'"
        " and (c.n_employers is null or c.n_employers > 0 and c.largest_employer_share is null))"
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
        f" using ({', '.join(CELL_KEY)})"
        " where v.value is null and c.value is not null and v.value_status <> 'suppressed' group by 1 order by 1"
    ).fetchall()
    return [
        f"{code} has a value that is neither suppressed nor shown in {count} cells, first in the period to {last}"
        for code, count, last in rows
    ]


def _identities(connection: psycopg.Connection[Any], manifest: Manifest) -> list[str]:
    """What must hold between figures does."""
    if not _has_cells(manifest):
        return []
    return [str(one) for one in identities.broken(connection) if one.severity == "stop"]


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
        sql.SQL("{} is not null").format(sql.Identifier(name)) for name in FIGURES if name in stored.table.column_names
    )
    suppressed = sql.SQL("(select * from {} where value_status = 'suppressed')").format(stored.built)
    count = _count(connection, sql.SQL("select count(*) from {} as s where {}").format(suppressed, said))
    if count:
        found.append(f"{count} suppressed cells carry a figure")
    for other in stored_tables(manifest):
        if other.is_stamped or other.table.schema != "marts":
            continue
        # what a county or a city reports itself is published by it: its key has the source besides
        if set(CELL_KEY) == set(other.table.key):
            key = sql.SQL(", ").join(sql.Identifier(name) for name in CELL_KEY)
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


def _rows(connection: psycopg.Connection[Any], manifest: Manifest) -> list[str]:
    """Which rows are served of persons and employers follows from what is shown, never from what was counted.

    Every area of a level has the same leading rows in a period; below a total that is shown it has as many parts as any
    other; below a hidden one it has none.
    """
    if not any(node["name"] == "indicator_part" for node in manifest.nodes.values()):
        return []
    rows = connection.execute(_ROWS.encode()).fetchall()
    return [f"{code} {fault} in {count} cases, first in the period to {first}" for code, fault, count, first in rows]


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
