"""The step of the marts DAG that releases a build, or refuses it and leaves everything as it was."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.integration.release.small_marts import A, B, new_build, rows, served, set_cells, small_manifest
from threegaps.errors import ReleaseError
from threegaps.release import undo
from threegaps.release.served import apply_served

pytestmark = pytest.mark.integration


def test_a_build_that_was_never_built_is_not_released(marts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from threegaps.marts import dbt_runner
    from threegaps.release import step
    from threegaps.settings import Settings

    manifest = small_manifest()
    monkeypatch.setattr(dbt_runner, "parse_project", lambda settings: manifest)
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda self: marts)
    with psycopg.connect(marts) as connection:
        claimed, built, broken = (new_build(connection, status=status) for status in ("claimed", "built", "built"))
    with pytest.raises(ReleaseError, match="claimed, not built"):
        step.release(claimed)
    set_cells(marts, {A: 20})
    assert step.release(built) == 1
    assert step.release(built) == 1, "a task that is tried again finds its release"
    set_cells(marts, {A: 40, B: None})
    with psycopg.connect(marts) as connection:
        connection.execute("update build.indicator_value set value = 3 where value is null")
    with pytest.raises(ReleaseError, match="suppressed cells carry a figure"):
        step.release(broken)
    assert served(marts) == {A: 20}
    state = rows(marts, "select status, failure, message from ops.build where build_id = %s", broken)
    assert state[0][:2] == ("failed", "check")
    assert "suppressed" in state[0][2]


def seen_of_structure(dsn: str) -> list[tuple[Any, ...]]:
    """All that readers see of served relations but their rows: columns, comments, definitions of views."""
    return rows(
        dsn,
        "select c.relname, a.attname, a.atttypid::regtype::text, obj_description(c.oid, 'pg_class'),"
        " col_description(c.oid, a.attnum), case c.relkind when 'v' then pg_get_viewdef(c.oid) end"
        " from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0"
        " where c.relnamespace in ('marts'::regnamespace, 'history'::regnamespace) order by c.oid, a.attnum",
    )


def test_a_refused_release_changes_nothing_that_readers_see(marts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No new column, and no comment that says of the old figures what holds of the refused ones."""
    from threegaps.marts import dbt_runner
    from threegaps.release import step
    from threegaps.settings import Settings

    monkeypatch.setattr(Settings, "warehouse_dsn", lambda self: marts)
    monkeypatch.setattr(dbt_runner, "parse_project", lambda settings: small_manifest())
    with psycopg.connect(marts) as connection:
        first, refused = (new_build(connection) for _ in range(2))
        connection.execute("update ops.build set shows_exact_cells = true where build_id = %s", [refused])
    set_cells(marts, {A: 20})
    step.release(first)
    before = seen_of_structure(marts)
    assert len(before) > 50
    with psycopg.connect(marts) as connection:
        connection.execute("update build.indicator_value set value_status = 'suppressed'")
        connection.execute("alter table build.action_1_bright_future add column m01_9 numeric")
    grown = small_manifest(m01_9="numeric")
    monkeypatch.setattr(dbt_runner, "parse_project", lambda settings: grown)
    with pytest.raises(ReleaseError, match="suppressed"):
        step.release(refused)
    assert seen_of_structure(marts) == before
    apply_served(marts, grown)
    assert seen_of_structure(marts) != before


def test_a_demonstration_ends_with_the_next_build_that_is_none(marts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows far more rows than what comes after it, and is said in the comments as long as it serves."""
    from threegaps.marts import dbt_runner
    from threegaps.release import step
    from threegaps.settings import Settings

    monkeypatch.setattr(dbt_runner, "parse_project", lambda settings: small_manifest())
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda self: marts)
    with psycopg.connect(marts) as connection:
        shown, hidden, smaller = (new_build(connection) for _ in range(3))
        connection.execute("update ops.build set shows_exact_cells = true where build_id = %s", [shown])
    comments = (
        "select bool_and(is_marked), bool_or(is_marked), count(*) from (select obj_description(c.oid, 'pg_class') like"
        " '%%演示%%' as is_marked from pg_class as c where c.relkind in ('r', 'v') and c.relname not like 'dim%%'"
        " and c.relname not in ('feed_health', 'reporting_rate')"
        " and c.relnamespace in ('marts'::regnamespace, 'history'::regnamespace)) as r"
    )
    flags = "select is_demonstration from marts.dim_release order by release_id"
    set_cells(marts, {("M01-3", f"33{number:04d}"): 7 for number in range(300)})
    step.release(shown)
    assert rows(marts, comments) == [(True, True, 9)]
    set_cells(marts, {("M01-3", f"33{number:04d}"): 10 for number in range(110)})
    step.release(hidden)
    assert rows(marts, comments) == [(False, False, 9)]
    # Back to the demonstration, which is one again, and forth to what is none.
    undo.undo(marts, note="to look once more", manifest=small_manifest())
    assert rows(marts, comments) == [(True, True, 9)]
    with psycopg.connect(marts) as connection:
        again = new_build(connection)
    step.release(again)
    assert rows(marts, comments) == [(False, False, 9)]
    assert rows(marts, flags) == [(True,), (False,), (True,), (False,)]
    set_cells(marts, {A: 10})
    with pytest.raises(ReleaseError, match="shrink"):
        step.release(smaller)
    assert len(served(marts)) == 110
