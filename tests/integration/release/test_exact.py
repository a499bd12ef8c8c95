"""Figures before disclosure: for the statistician, a county's own for the county, and for nobody else."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.integration.release.small_marts import make_build_schema, manifest_with_exact, new_build, set_cells
from threegaps.marts.lock import held_by_builder
from threegaps.release import apply, undo
from threegaps.release.served import apply_served

pytestmark = pytest.mark.integration
A, B, P = ("M01-3", "330102"), ("M01-3", "330103"), ("M01-3", "330000")


MANIFEST = manifest_with_exact()


@pytest.fixture
def marts(warehouse: str) -> str:
    make_build_schema(warehouse)
    with psycopg.connect(warehouse) as connection:
        connection.execute("create table build.indicator_cell (like build.indicator_value)")
    apply_served(warehouse, MANIFEST)
    return warehouse


@pytest.fixture
def officer(postgres: Any, marts: str) -> str:
    name = "officer_of_330102"
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        if connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone() is None:
            connection.execute(f"create role {name} login connection limit 5 in role county_reader".encode())
        connection.execute(f"grant {name}, bi_reader, county_reader, statistician to pipeline".encode())
    with psycopg.connect(marts) as connection:
        connection.execute("insert into ops.county_reader values (%s, '330102')", [name])
    return name


def release(dsn: str, exact: dict[tuple[str, str], int], shown: dict[tuple[str, str], int | None]) -> None:
    set_cells(dsn, exact)  # type: ignore[arg-type]
    with psycopg.connect(dsn) as connection:
        connection.execute("truncate build.indicator_cell")
        connection.execute("insert into build.indicator_cell select * from build.indicator_value")
    set_cells(dsn, shown)
    with held_by_builder(dsn) as connection:
        apply.apply_build(connection, MANIFEST, new_build(connection))


def as_role(dsn: str, role: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        return connection.execute(query.encode()).fetchall()


def test_each_sees_its_own(marts: str, officer: str) -> None:
    release(marts, {A: 7, B: 33, P: 40}, {A: None, B: 30, P: 40})
    asked = "select area_code, value::int from {} order by 1"
    assert as_role(marts, "statistician", asked.format("exact.indicator_value")) == [
        ("330000", 40),
        ("330102", 7),
        ("330103", 33),
    ]
    assert as_role(marts, officer, asked.format("marts.county_value")) == [("330102", 7)]
    assert as_role(marts, officer, asked.format("marts.indicator_value")) == [
        ("330000", 40),
        ("330102", None),
        ("330103", 30),
    ]
    for role, relations in {
        "bi_reader": ("exact.indicator_value", "exact.indicator_value_past", "exact.indicator_value_at",
                      "marts.county_value"),
        officer: ("exact.indicator_value", "exact.indicator_value_past", "exact.indicator_value_at"),
        "statistician": ("exact.indicator_value_past", "exact.indicator_value_at"),
    }.items():  # fmt: skip
        for relation in relations:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                as_role(marts, role, asked.format(relation))


def test_no_plan_tells_of_another_county(marts: str, officer: str) -> None:
    """As many rows are looked through whether the other county has any or not."""
    release(marts, {A: 7, B: 33, P: 40}, {A: None, B: 30, P: 40})
    plans = []
    for county in ("330103", "330104"):
        asked = (
            "explain (analyze, costs off, timing off, summary off, buffers off) select 1 from marts.county_value"
            f" where indicator_code = 'M01-3' and area_code = '{county}'"
        )
        plans.append([str(line[0]).replace(county, "") for line in as_role(marts, officer, asked)])
    assert plans[0] == plans[1]
    assert any("cells_of_own_county" in line for line in plans[0])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(marts, "bi_reader", "select * from marts.cells_of_own_county()")


def test_they_are_those_of_the_release_that_serves(marts: str, officer: str) -> None:
    asked = "select area_code, value::int from exact.indicator_value order by 1"
    release(marts, {A: 7, B: 33}, {A: None, B: 30})
    release(marts, {A: 12, B: 33}, {A: 10, B: 30})
    assert as_role(marts, "statistician", asked) == [("330102", 12), ("330103", 33)]
    undo.undo(marts, note="wrong file", manifest=MANIFEST)
    assert as_role(marts, "statistician", asked) == [("330102", 7), ("330103", 33)]
    assert as_role(marts, officer, "select value::int from marts.county_value") == [(7,)]
