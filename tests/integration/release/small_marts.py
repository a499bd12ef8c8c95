"""A marts project small enough to be worked out by hand: its manifest, and what dbt would have made in `build`."""

from __future__ import annotations

from typing import Any

import psycopg

from threegaps.calendar import Delivery
from threegaps.marts.lock import held_by_builder
from threegaps.marts.manifest import Manifest
from threegaps.release import apply
from threegaps.release.served import apply_served

CELL_COLUMNS = {
    "indicator_code": "text",
    "area_code": "text",
    "area_level": "text",
    "period_type": "text",
    "period_start": "date",
    "period_end": "date",
    "period_label": "text",
    "breakdown": "text",
    "breakdown_value": "text",
    "numerator": "numeric",
    "denominator": "numeric",
    "value": "numeric(20,4)",
    "target_value": "numeric",
    "target_progress": "numeric",
    "due_progress": "numeric",
    "time_progress": "numeric",
    "status": "text",
    "change_on_year": "numeric",
    "change_unit": "text",
    "maturity": "text",
    "value_status": "text",
    "covered_from": "date",
    "covered_to": "date",
    "source_kind": "text",
    "rounding": "text",
    "audience": "text",
    "data_as_of": "date",
}
WIDE_COLUMNS = {
    "area_code": "text",
    "period_type": "text",
    "period_end": "date",
    "m01_3": "numeric(20,4)",
}
# The cells that columns of the wide relation show.
WIDE_CELLS = {"m01_3": ("M01-3", "total", "total"), "m01_3_youth": ("M01-3", "priority_group", "02")}
SOURCE = "source.threegaps.raw_a.a_b"
# Two counties and the province.
A, B, P = ("M01-3", "330102"), ("M01-3", "330103"), ("M01-3", "330000")
CELL_KEY = ["indicator_code", "area_code", "period_type", "period_end", "breakdown", "breakdown_value"]


def _shown(column: str) -> dict[str, str]:
    return dict(zip(("indicator_code", "breakdown", "breakdown_value"), WIDE_CELLS.get(column, ()), strict=False))


def node(name: str, columns: dict[str, str], *, reads: tuple[str, ...] = (), **meta: Any) -> dict[str, Any]:
    return {
        "name": name,
        "resource_type": "model",
        "schema": "build",
        "description": f"{name} 说明",
        "checksum": {"checksum": name},
        "fqn": ["threegaps", "marts", name],
        "depends_on": {"macros": [], "nodes": list(reads)},
        "config": {"meta": meta},
        "columns": {
            column: {
                "name": column,
                "data_type": kind,
                "description": f"{column} 说明(人次)",
                "config": {"meta": _shown(column)},
            }
            for column, kind in columns.items()
        },
    }


def small_manifest(**more_columns: str) -> Manifest:
    """Two served relations and two indicators; *more_columns* stand in the wide one."""
    nodes = [
        node("indicator_value", CELL_COLUMNS, served=True, key=CELL_KEY, indexes=[["area_code", "period_end"]]),
        node(
            "action_1_bright_future",
            WIDE_COLUMNS | more_columns,
            served=True,
            key=["area_code", "period_type", "period_end"],
            audience="public",
            synthetic_in_sandbox=True,
        ),
        node("ind_m01_3", {}, reads=(SOURCE,), indicator="M01-3"),
        node("ind_m01_5", {}, reads=(SOURCE,), indicator="M01-5"),
    ]
    ids = {f"model.threegaps.{one['name']}": one for one in nodes}
    return Manifest(
        {
            "nodes": ids,
            "sources": {SOURCE: {"config": {"meta": {"feed": "a/b"}}}},
            "macros": {},
            "metadata": {"project_name": "threegaps"},
            "child_map": {unique_id: [] for unique_id in ids},
        }
    )


def manifest_with_exact(**more_columns: str) -> Manifest:
    """`small_manifest` with the figures before disclosure, which have *more_columns*."""
    raw = dict(small_manifest().raw)
    columns = CELL_COLUMNS | more_columns
    exact = node("indicator_cell", columns, served=True, served_as="exact.indicator_value", key=CELL_KEY)
    return Manifest(raw | {"nodes": dict(raw["nodes"]) | {"model.threegaps.indicator_cell": exact}})


def make_build_schema(dsn: str) -> None:
    """Empty tables as dbt would make them, and the served ones."""
    with psycopg.connect(dsn) as connection:
        for name, columns in (("indicator_value", CELL_COLUMNS), ("action_1_bright_future", WIDE_COLUMNS)):
            listing = ", ".join(f"{column} {kind}" for column, kind in columns.items())
            connection.execute(f"create table build.{name} ({listing})".encode())
        connection.execute(
            "create table core.dim_period (period_type text, period_start date, period_end date);"
            "insert into core.dim_period values ('month', '2026-06-01', '2026-06-30'),"
            " ('month', '2026-07-01', '2026-07-31'), ('quarter', '2026-04-01', '2026-06-30'),"
            " ('year', '2026-01-01', '2026-12-31');"
            "create table core.area_member (area_code text, county_code text, area_level text, valid_from date,"
            " valid_to date);"
            "insert into core.area_member values ('330102', '330102', 'county', '2000-01-01', 'infinity'),"
            " ('330103', '330103', 'county', '2000-01-01', 'infinity'),"
            " ('330000', '330102', 'province', '2000-01-01', 'infinity'),"
            " ('330000', '330103', 'province', '2000-01-01', 'infinity')"
        )
    apply_served(dsn, small_manifest())


def set_cells(
    dsn: str,
    values: dict[tuple[str, str], int | None],
    *,
    audience: str = "public",
    maturity: str = "final",
    rounding: str = "none",
) -> None:
    """What the next build says: value by (indicator, area) for 2026-06; None is suppressed."""
    with psycopg.connect(dsn) as connection:
        connection.execute("truncate build.indicator_value, build.action_1_bright_future")
        for (code, area), value in values.items():
            level = "province" if area == "330000" else "county"
            connection.execute(
                "insert into build.indicator_value (indicator_code, area_code, area_level, period_type, period_start,"
                " period_end, period_label, breakdown, breakdown_value, numerator, value, status, maturity,"
                " value_status, rounding, covered_from, covered_to, audience, data_as_of)"
                " select %(code)s, %(area)s, %(level)s, 'month',"
                " '2026-06-01', '2026-06-30', '2026-06', 'total', 'total', %(value)s::int, %(value)s::int,"
                " 'no_target', %(maturity)s, case when %(value)s::int is null then 'suppressed' else 'reported' end,"
                " %(rounding)s, '2026-06-01', '2026-06-30', %(audience)s, current_date",
                {
                    "code": code,
                    "area": area,
                    "level": level,
                    "value": value,
                    "audience": audience,
                    "maturity": maturity,
                    "rounding": None if value is None else rounding,
                },
            )
            if code == "M01-3":
                connection.execute(
                    "insert into build.action_1_bright_future values (%s, 'month', '2026-06-30', %s)", [area, value]
                )


def new_build(connection: psycopg.Connection[Any], *, status: str = "built") -> int:
    """A build of the ledger in *status*."""
    row = connection.execute(
        "insert into ops.build (status, kind, as_of) values (%s, 'full', '2026-06-30') returning build_id", [status]
    ).fetchone()
    assert row is not None
    return int(row[0])


def release(
    dsn: str,
    values: dict[tuple[str, str], int | None],
    *,
    batches: list[int] | None = None,
    maturity: str = "final",
    rounding: str = "none",
    manifest: Manifest | None = None,
) -> apply.Outcome:
    """Serve *values* by a new release."""
    set_cells(dsn, values, maturity=maturity, rounding=rounding)
    with held_by_builder(dsn) as connection:
        build_id = new_build(connection)
        connection.execute("insert into ops.build_input select %s, unnest(%s::bigint[])", [build_id, batches or []])
        return apply.apply_build(connection, manifest or small_manifest(), build_id)


def new_batch(dsn: str, *, delivery: str = "2026-06", county: str = "330102", feed: str = "a/b") -> int:
    """A loaded batch that touched June 2026 in one county; of the feed a/b, on which the indicators rest."""
    month = Delivery.parse("month", delivery)
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "insert into ops.batch (feed, delivery, delivery_start, delivery_end, status, contract_hash, code_version,"
            " pseudonym_key_version, is_complete, inserted, changed, unchanged, withdrawn, accepted, finished_at)"
            " values (%s, %s, %s, %s, 'loaded', 'h', 'c', '1', true, 0, 0, 0, 0, 0, clock_timestamp())"
            " returning batch_id",
            [feed, delivery, month.start, month.end],
        ).fetchone()
        assert row is not None
        connection.execute(
            "insert into ops.touch (cause, batch_id, feed, county_code, period_from, period_to)"
            " values ('batch', %s, %s, %s, '2026-06-01', '2026-06-30')",
            [row[0], feed, county],
        )
        return int(row[0])


def served(dsn: str) -> dict[tuple[str, str], Any]:
    """What readers are told: value by (indicator, area)."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("select indicator_code, area_code, value from marts.indicator_value").fetchall()
    return {(code, area): value for code, area, value in rows}


def rows(dsn: str, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """All rows of an answer."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode(), parameters).fetchall()
