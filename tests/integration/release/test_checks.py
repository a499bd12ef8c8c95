"""What keeps a build from being released, and how it is named."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.integration.release.small_marts import A, B, P, release, set_cells, small_manifest
from threegaps.release import checks
from threegaps.release.served import apply_served

pytestmark = pytest.mark.integration


def test_checks_name_what_is_wrong(marts: str) -> None:
    set_cells(marts, {A: 20, B: None})
    manifest = small_manifest()

    def findings() -> list[str]:
        with psycopg.connect(marts) as connection:
            return checks.findings(connection, manifest)

    assert findings() == []
    with psycopg.connect(marts) as connection:
        connection.execute("insert into build.indicator_value select * from build.indicator_value where value = 20")
        connection.execute("update build.indicator_value set value = 7 where value_status = 'suppressed'")
        connection.execute("update build.action_1_bright_future set m01_3 = 'NaN' where m01_3 is null")
    assert findings() == [
        "keys: indicator_value has 1 keys more than once and 0 rows without a key",
        "numbers: action_1_bright_future has 1 rows with a figure that is no number",
        "suppression: 1 suppressed cells carry a figure",
        "suppression: action_1_bright_future.m01_3 shows 1 suppressed cells",
    ]


def test_a_part_that_is_suppressed_is_not_shown_by_its_own_column(marts: str) -> None:
    set_cells(marts, {A: 20})
    manifest = small_manifest(m01_3_youth="numeric(20,4)")
    apply_served(marts, manifest)
    with psycopg.connect(marts) as connection:
        connection.execute("alter table build.action_1_bright_future add column m01_3_youth numeric(20,4)")
        connection.execute(
            "insert into build.indicator_value (indicator_code, area_code, period_type, period_end, breakdown,"
            " breakdown_value, value_status)"
            " values (%s, %s, 'month', '2026-06-30', 'priority_group', '02', 'suppressed')",
            A,
        )
        assert checks.findings(connection, manifest) == []
        connection.execute("update build.action_1_bright_future set m01_3_youth = 4")
        assert "suppression: action_1_bright_future.m01_3_youth shows 1 suppressed cells" in checks.findings(
            connection, manifest
        )


def test_a_figure_that_does_not_say_on_how_many_it_rests_is_not_released(marts: str) -> None:
    manifest = small_manifest()
    manifest.nodes["model.threegaps.indicator_cell"] = {"name": "indicator_cell", "config": {}}  # type: ignore[index]
    with psycopg.connect(marts) as connection:
        connection.execute(
            "create table core.seed_indicator as select * from (values ('P', 'persons', 'median'),"
            " ('E', 'employers', 'count'), ('N', 'none', 'published')) as v (indicator_code, disclosure, method);"
            "create table core.seed_method as select 'count' as method, true as is_additive,"
            " 'count' as numerator_is, 'numerator' as value_from;"
            "create table build.indicator_measured as select code as indicator_code, 'a' as area_code,"
            " 'county' as area_level, 'month' as period_type, date '2026-06-30' as period_end, 'total' as breakdown,"
            " 'total' as breakdown_value, null::numeric as numerator, null::numeric as denominator, value,"
            " persons::bigint as n_persons, employers::bigint as n_employers, share as largest_employer_share"
            " from (values"
            " ('P', 1.5, null, 3, null), ('P', 1.5, 10, null, null), ('P', null, null, null, null),"
            " ('E', 2, 10, null, 0.5), ('E', 2, 10, 4, null), ('E', 2, 10, 4, 0.5),"
            " ('N', 3, null, null, null)) as c (code, value, persons, employers, share);"
            "create table build.indicator_cell as select *, 'reported' as value_status from build.indicator_measured;"
            "create table core.indicator_part as select distinct indicator_code, breakdown, breakdown_value,"
            " 'county' as area_level from build.indicator_cell"
        )
        assert checks.findings(connection, manifest, accepted=frozenset({"row_count"})) == [
            "counted: E does not say on how many employers it rests in 2 cells, first in the period to 2026-06-30",
            "counted: P does not say on how many persons it rests in 1 cells, first in the period to 2026-06-30",
        ]


def measure_what_is_shown(connection: psycopg.Connection[Any], *, disclosure: str, is_additive: bool) -> None:
    """Let the count that is shown have been measured so, on persons and employers enough."""
    connection.execute(
        "create table core.seed_indicator as"
        f" select 'M01-3' as indicator_code, '{disclosure}' as disclosure, 'count' as method;"
        f"create table core.seed_method as select 'count' as method, {is_additive} as is_additive,"
        " 'count' as numerator_is, 'numerator' as value_from;"
        "create table core.indicator_part as select distinct indicator_code, breakdown, breakdown_value,"
        " 'county' as area_level from build.indicator_value;"
        "create table build.indicator_cell as select * from build.indicator_value;"
        "create table build.indicator_measured as"
        " select *, 50::bigint as n_persons, 5::bigint as n_employers, 0.5 as largest_employer_share"
        " from build.indicator_value".encode()
    )


def test_a_value_that_is_lost_on_the_way_to_what_is_shown_is_not_released(marts: str) -> None:
    set_cells(marts, {A: 35, B: 25})
    manifest = small_manifest()
    manifest.nodes["model.threegaps.indicator_cell"] = {"name": "indicator_cell", "config": {}}  # type: ignore[index]
    with psycopg.connect(marts) as connection:
        measure_what_is_shown(connection, disclosure="none", is_additive=False)
        assert checks.findings(connection, manifest) == []
        connection.execute("update build.indicator_value set value = null where value = 35")
        assert checks.findings(connection, manifest) == [
            "valued: M01-3 has a value that is neither suppressed nor shown in 1 cells,"
            " first in the period to 2026-06-30"
        ]


def test_a_count_of_persons_that_is_not_in_tens_is_not_released(marts: str) -> None:
    """The province's own total is: nothing follows from it."""
    set_cells(marts, {A: 35, B: 30, P: 65})
    manifest = small_manifest()
    manifest.nodes["model.threegaps.indicator_cell"] = {"name": "indicator_cell", "config": {}}  # type: ignore[index]
    with psycopg.connect(marts) as connection:
        measure_what_is_shown(connection, disclosure="persons", is_additive=True)
        assert checks.findings(connection, manifest) == [
            "rounded: M01-3 shows persons that are not in tens in 1 cells, first in the period to 2026-06-30"
        ]


def test_a_table_that_collapses_is_not_released(marts: str) -> None:
    release(marts, {("M01-3", f"33{number:04d}"): 10 for number in range(120)})
    set_cells(marts, {A: 10})
    with psycopg.connect(marts) as connection:
        found = checks.findings(connection, small_manifest())
        assert found[1] == "row_count: indicator_value would shrink from 120 to 1 rows"
        assert checks.findings(connection, small_manifest(), accepted=frozenset({"row_count"})) == []
