"""A changed key of a served table is moved in place: the same relation, the same rows, the same rights."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.integration.release.served_otherwise import differences
from tests.integration.release.small_marts import CELL_COLUMNS, WIDE_COLUMNS, node
from threegaps.errors import ReleaseError
from threegaps.marts.manifest import Manifest
from threegaps.release.served import apply_served

pytestmark = pytest.mark.integration
RANK_COLUMNS = dict.fromkeys(("indicator_code", "area_code", "period_type"), "text")
BEFORE = RANK_COLUMNS | {"period_start": "date", "area_rank": "integer"}
AFTER = RANK_COLUMNS | {"period_end": "date", "area_rank": "integer"}
ROWS = [("month", "2026-02-01", "2026-02-28"), ("quarter", "2026-01-01", "2026-03-31"),
        ("year", "2026-01-01", "2026-12-31"), ("month", "2024-02-01", "2024-02-29")]  # fmt: skip


def manifest(columns: dict[str, str], period: str) -> Manifest:
    key = ["indicator_code", "area_code", "period_type", period]
    rank = node("indicator_rank", columns, served=True, key=key, indexes=[["area_code", period]], audience="internal")
    return Manifest({"nodes": {"model.threegaps.indicator_rank": rank}, "macros": {}, "metadata": {}})


def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.fixture
def marts(warehouse: str) -> str:
    """Ranks as they were served before their key had the period's end."""
    apply_served(warehouse, manifest(BEFORE, "period_start"))
    with psycopg.connect(warehouse) as connection:
        for period_type, first_day, _ in ROWS:
            connection.execute(
                "insert into marts.indicator_rank values ('M01-3', '330102', %s, %s, 1, 1)", [period_type, first_day]
            )
            connection.execute(
                "insert into history.indicator_rank values ('M01-3', '330102', %s, %s, 2, 1, 2)",
                [period_type, first_day],
            )
    return warehouse


def test_the_key_is_moved_and_nothing_else(marts: str) -> None:
    identity = "select 'marts.indicator_rank'::regclass::oid, relacl::text from pg_class" \
               " where oid = 'marts.indicator_rank'::regclass"  # fmt: skip
    before = rows(marts, identity)
    after = manifest(AFTER, "period_end")
    for _ in range(2):
        apply_served(marts, after)
        assert rows(marts, identity) == before
        for relation in ("marts.indicator_rank", "history.indicator_rank"):
            assert sorted(rows(marts, f"select period_type, period_start::text, period_end::text from {relation}")) == (
                sorted(ROWS)
            )
        assert rows(
            marts,
            "select pg_get_constraintdef(oid) from pg_constraint"
            " where conrelid = 'marts.indicator_rank'::regclass and contype = 'p'",
        ) == [("PRIMARY KEY (indicator_code, area_code, period_type, period_end)",)]
        assert not rows(marts, "select 1 from pg_indexes where schemaname <> 'ops' and indexdef like '%period_start%'")
        with psycopg.connect(marts) as connection:
            assert differences(connection, after) == []
            # Two periods that begin on one day: the running year in March, and in May.
            connection.execute(
                "insert into marts.indicator_rank (indicator_code, area_code, period_type, period_end,"
                " value_release_id) values ('M01-3', '330102', 'ytd', '2026-03-31', 1),"
                " ('M01-3', '330102', 'ytd', '2026-05-31', 1)"
            )
            connection.rollback()


def test_rows_that_cannot_have_the_new_key_keep_the_old_one(marts: str) -> None:
    with psycopg.connect(marts) as connection:
        connection.execute("update marts.indicator_rank set period_type = 'term' where period_type = 'year'")
    with pytest.raises(ReleaseError, match="1 served rows lack a part of it, 0 keys"):
        apply_served(marts, manifest(AFTER, "period_end"))
    assert "period_end" not in {name for (name,) in rows(
        marts, "select attname from pg_attribute where attrelid = 'marts.indicator_rank'::regclass")}  # fmt: skip


def test_a_key_that_rows_share_is_refused(marts: str) -> None:
    shorter = manifest(BEFORE, "area_code")
    with pytest.raises(ReleaseError, match="0 served rows lack a part of it, 1 keys stand more than once"):
        apply_served(marts, shorter)


def test_the_cells_keep_their_view_while_their_key_moves(warehouse: str) -> None:
    def cells(period: str) -> Manifest:
        key = ["indicator_code", "area_code", "period_type", period, "breakdown", "breakdown_value"]
        nodes = [
            node("indicator_value", CELL_COLUMNS, served=True, key=key),
            node("action_1_bright_future", WIDE_COLUMNS, served=True, key=["area_code", "period_type", "period_end"]),
        ]
        return Manifest({"nodes": {one["name"]: one for one in nodes}, "macros": {}, "metadata": {}})

    apply_served(warehouse, cells("period_start"))
    seen = "select 'marts.indicator_value'::regclass::oid, 'history.indicator_value_at'::regclass::oid"
    before = rows(warehouse, seen)
    apply_served(warehouse, cells("period_end"))
    assert rows(warehouse, seen) == before
