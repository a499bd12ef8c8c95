"""What each reader may see of what is served."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.integration.release.small_marts import A, B, release, rows

pytestmark = pytest.mark.integration


def as_role(dsn: str, role: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        return connection.execute(query.encode()).fetchall()


@pytest.fixture
def officer(postgres: Any, marts: str) -> str:
    """A login role of county 330102."""
    name = "officer_330102"
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        if connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone() is None:
            connection.execute(f"create role {name} login connection limit 5 in role county_reader".encode())
            connection.execute(f"grant {name}, bi_reader, county_reader to pipeline".encode())
    with psycopg.connect(marts) as connection:
        connection.execute("insert into ops.county_reader values (%s, '330102')", [name])
    return name


def test_a_county_sees_its_own_and_the_public(marts: str, officer: str) -> None:
    release(marts, {A: 20, B: 30})
    release(marts, {A: 21, B: 31})
    set_areas = "select area_code from {} order by 1"
    relations = ("marts.indicator_value", "marts.indicator_value_stored", "history.indicator_value",
                 "history.indicator_value_at")  # fmt: skip
    for relation in relations:
        assert as_role(marts, officer, set_areas.format(relation)) == [("330102",), ("330103",)]
    with psycopg.connect(marts) as connection:
        connection.execute("update marts.indicator_value_stored set audience = 'internal'")
        connection.execute("update history.indicator_value set audience = 'internal'")
    for relation in relations:
        assert as_role(marts, officer, set_areas.format(relation)) == [("330102",)], relation
        assert as_role(marts, "bi_reader", set_areas.format(relation)) == [("330102",), ("330103",)]


def test_nobody_but_the_owner_learns_whose_county_another_reads(postgres: Any, marts: str, officer: str) -> None:
    password = "officer-in-tests"
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(officer), sql.Literal(password)))
    with psycopg.connect(marts) as connection:
        connection.execute("insert into ops.county_reader values ('bi_reader', '330103')")
        database = connection.info.dbname
        connection.execute(sql.SQL("grant connect on database {} to county_reader").format(sql.Identifier(database)))
    asked = "select marts.county_of(current_user), marts.county_of('{}'), marts.county_of('nobody')"
    # Logged in, and in a role that was set: the same.
    own = postgres.dsn(database, user=officer, password=password)
    assert rows(own, asked.format("bi_reader")) == [("330102", None, None)]
    assert as_role(marts, officer, asked.format("bi_reader")) == [("330102", None, None)]
    assert as_role(marts, "bi_reader", asked.format(officer)) == [("330103", None, None)]
    # The pipeline owns the tables; the server's superuser may do all.
    assert rows(marts, asked.format(officer)) == [(None, "330102", None)]
    assert rows(postgres.dsn(database), asked.format(officer)) == [(None, "330102", None)]


@pytest.mark.parametrize("relation", ["ops.county_reader", "ops.batch", "build.indicator_value", "core.area_member"])
def test_readers_read_nothing_but_what_is_served(marts: str, officer: str, relation: str) -> None:
    for role in ("bi_reader", officer):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_role(marts, role, f"select * from {relation}")
    for statement in ("delete from marts.indicator_value_stored", "update marts.dim_release set note = 'x'"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_role(marts, officer, statement)
