"""What disclosure hides, and what is served no more, is taken out of the past too."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.release.small_marts import A, B, release, rows, small_manifest
from threegaps.errors import BuildError
from threegaps.release.served import apply_served
from threegaps.release.withdrawn import withdraw_what_was_said_before

pytestmark = pytest.mark.integration


def test_a_suppressed_cell_loses_its_past_figures_in_every_relation(marts: str) -> None:
    release(marts, {A: 20, B: 30})
    release(marts, {A: 25, B: 30})
    with psycopg.connect(marts) as connection:
        connection.execute("update marts.indicator_value_stored set rounding = 'tens', change_unit = 'percent'")
        connection.execute("update history.indicator_value set rounding = 'tens', change_unit = 'percent'")
    release(marts, {A: None, B: 30})
    said = "select distinct value, numerator, rounding, change_unit, value_status from history.indicator_value"
    assert rows(marts, f"{said} where area_code = '330102'") == [(None, None, None, None, "suppressed")]
    assert rows(marts, "select distinct m01_3 from history.action_1_bright_future") == [(None,)]


def test_parts_below_a_total_that_is_hidden_lose_their_past_figures_too(marts: str) -> None:
    release(marts, {A: 25})
    with psycopg.connect(marts) as connection:
        connection.execute(
            "insert into history.indicator_value (indicator_code, area_code, period_type, period_end, breakdown,"
            " breakdown_value, numerator, value, value_status, covered_from, release_from, release_to, is_revised)"
            " select indicator_code, area_code, period_type, period_end, 'priority_group', '02', 15, 15, 'reported',"
            " covered_from, 0, 1, false from marts.indicator_value_stored"
        )
    release(marts, {A: None})
    said = "select breakdown, value, numerator, value_status from history.indicator_value order by 1"
    assert rows(marts, said) == [("priority_group", None, None, "suppressed"), ("total", None, None, "suppressed")]


def test_what_was_said_before_disclosure_stood_is_withdrawn_with_a_note(marts: str) -> None:
    """Rows of that time say no day from which they cover; what is published anyway stays."""
    release(marts, {A: 25, B: 30, ("M01-5", "330102"): 7})
    target = "update marts.indicator_value_stored set status = 'on_track' where area_code = '330103'"
    manifest = small_manifest()
    manifest.nodes["seed.threegaps.seed_indicator"] = {"name": "seed_indicator", "config": {}}  # type: ignore[index]
    with psycopg.connect(marts) as connection:
        connection.execute(
            "create table core.seed_indicator as select * from (values ('M01-3', 'persons'), ('M01-5', 'none'))"
            " as v (indicator_code, disclosure);"
            "update marts.indicator_value_stored set covered_from = null;"
        )
        connection.execute(target.encode())
    release(marts, {A: 26, B: 31, ("M01-5", "330102"): 8}, manifest=manifest)
    said = "select indicator_code, value, value_status, status from history.indicator_value order by 1, area_code"
    assert rows(marts, said) == [
        ("M01-3", None, "suppressed", "no_target"),
        ("M01-3", None, "suppressed", "not_judged"),
        ("M01-5", 7, "reported", "no_target"),
    ]
    assert rows(marts, "select distinct m01_3 from history.action_1_bright_future") == [(None,)]
    notes = "select release_id, note ~ 'withdrawn' from {} order by 1"
    for relation in ("ops.release", "marts.dim_release"):
        assert rows(marts, notes.format(relation)) == [(1, True), (2, None)]
    # what the next release replaces was said by today's rules
    release(marts, {A: 27, B: 31, ("M01-5", "330102"): 8}, manifest=manifest)
    assert (26,) in rows(marts, "select value from history.indicator_value")
    assert rows(marts, notes.format("ops.release")) == [(1, True), (2, None), (3, None)]
    assert rows(marts, "select name, last_release_id from ops.withdrawal") == [("before_disclosure", 1)]


def test_what_is_withdrawn_once_is_not_looked_for_again(marts: str) -> None:
    """While a cell of that time still serves, it may yet come into the past; then never again."""
    manifest = small_manifest()
    manifest.nodes["seed.threegaps.seed_indicator"] = {"name": "seed_indicator", "config": {}}  # type: ignore[index]
    with psycopg.connect(marts) as connection:
        connection.execute(
            "create table core.seed_indicator as select 'M01-3' as indicator_code, 'persons' as disclosure"
        )
    release(marts, {A: 25, B: 30})
    with psycopg.connect(marts) as connection:
        connection.execute("update marts.indicator_value_stored set covered_from = null")

    def withdraw() -> int:
        with psycopg.connect(marts) as connection:
            return withdraw_what_was_said_before(connection, manifest)

    done = "select last_release_id from ops.withdrawal"
    assert (withdraw(), rows(marts, done)) == (0, [])
    release(marts, {A: 26, B: 31}, manifest=manifest)
    assert rows(marts, done) == [(1,)]
    with psycopg.connect(marts) as connection:
        connection.execute("update history.indicator_value set value = 25, value_status = 'reported'")
    assert withdraw() == 0
    assert rows(marts, "select distinct value from history.indicator_value") == [(25,)]


def test_a_withdrawn_column_is_emptied_in_the_past_too(marts: str) -> None:
    """It stays where readers' queries name it, and what it said is gone."""
    apply_served(marts, small_manifest(last_message="text"))
    wide = "area_code, period_type, period_end, last_message"
    row = "'330102', 'month', '2026-01-31', 'what a department wrote'"
    with psycopg.connect(marts) as connection:
        for relation, more, releases in (
            ("marts.action_1_bright_future", "value_release_id", "1"),
            ("history.action_1_bright_future", "release_from, release_to", "1, 2"),
        ):
            connection.execute(f"insert into {relation} ({wide}, {more}) values ({row}, {releases})".encode())
    withdrawn = small_manifest()
    withdrawn.nodes["model.threegaps.action_1_bright_future"]["config"]["meta"]["withdrawn"] = ["last_message"]
    apply_served(marts, withdrawn)
    for relation in ("marts.action_1_bright_future", "history.action_1_bright_future"):
        assert rows(marts, f"select area_code, last_message from {relation}") == [("330102", None)]
    apply_served(marts, withdrawn)


def test_a_column_that_is_served_cannot_be_withdrawn() -> None:
    manifest = small_manifest(last_message="text")
    manifest.nodes["model.threegaps.action_1_bright_future"]["config"]["meta"]["withdrawn"] = ["last_message"]
    with pytest.raises(BuildError, match="last_message"):
        _ = manifest.served
