"""A release applies the difference and no more; readers see one release in each answer."""

from __future__ import annotations

import datetime as dt
import re
import threading
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.integration.release.served_otherwise import differences
from tests.integration.release.small_marts import (
    make_build_schema,
    new_batch,
    new_build,
    release,
    served,
    set_cells,
    small_manifest,
)
from threegaps.errors import BuildError, ReleaseError
from threegaps.ledger.batches import pending_batches
from threegaps.marts.affected import Slice
from threegaps.marts.manifest import Manifest
from threegaps.release import checks, history, holds, undo
from threegaps.release.served import apply_served
from threegaps.release.withdrawn import withdraw_what_was_said_before

pytestmark = pytest.mark.integration
READER = "reader"
WAITING_READERS = (
    "select l.mode, l.relation::regclass::text, pg_blocking_pids(l.pid)::text from pg_locks as l"
    " join pg_stat_activity as a using (pid)"
    " where not l.granted and a.application_name = %s and a.datname = current_database()"
)
A, B, P = ("M01-3", "330102"), ("M01-3", "330103"), ("M01-3", "330000")


@pytest.fixture
def marts(warehouse: str) -> str:
    make_build_schema(warehouse)
    return warehouse


def rows(dsn: str, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode(), parameters).fetchall()


def test_only_the_difference_is_applied_and_the_replaced_is_kept(marts: str) -> None:
    first = release(marts, {A: 20, B: 30})
    second = release(marts, {A: 21, B: 30, P: 51})
    third = release(marts, {A: 21, P: 51})
    assert [(o.inserted, o.changed, o.removed) for o in (first, second, third)] == [(4, 0, 0), (2, 2, 0), (0, 0, 2)]
    assert rows(
        marts, "select area_code, value::int, release_id, value_release_id from marts.indicator_value order by 1"
    ) == [("330000", 51, 3, 2), ("330102", 21, 3, 2)]
    assert rows(
        marts, "select area_code, value::int, release_from, release_to from history.indicator_value order by 1"
    ) == [("330102", 20, 1, 2), ("330103", 30, 1, 3)]
    with psycopg.connect(marts) as connection:
        for number, expected in ((1, {20, 30}), (2, {21, 30, 51}), (3, {21, 51})):
            connection.execute("select history.as_of(%s)", [number])
            said = connection.execute("select value::int from history.indicator_value_at").fetchall()
            assert {row[0] for row in said} == expected
    assert [d.area_code for d in history.difference(marts, 1, 2)] == ["330000", "330102"]
    assert [(d.value_before, d.value_after) for d in history.difference(marts, 2)] == [(30, None)]
    with pytest.raises(ReleaseError, match="no release 9"):
        history.difference(marts, 9)


def test_a_release_of_the_same_changes_no_row(marts: str) -> None:
    release(marts, {A: 20, B: 30})
    before = rows(marts, "select ctid, xmin, * from marts.indicator_value_stored")
    outcome = release(marts, {A: 20, B: 30})
    assert (outcome.inserted, outcome.changed, outcome.removed) == (0, 0, 0)
    assert rows(marts, "select ctid, xmin, * from marts.indicator_value_stored") == before
    assert rows(marts, "select distinct release_id, value_release_id from marts.indicator_value") == [(2, 1)]


def test_readers_see_one_release_in_each_answer(marts: str) -> None:
    """100 releases, eight readers: no error, no mixture, and no reader ever waits for a lock."""
    areas = [f"3301{number:02d}" for number in range(1, 60)]
    cells = {("M01-3", area): 0 for area in areas}
    release(marts, cells)  # type: ignore[arg-type]
    ended = threading.Event()
    faults: list[str] = []
    answers = [0] * 8
    samples = 0

    def read(number: int) -> None:
        try:
            with psycopg.connect(marts, autocommit=number % 2 == 0, application_name=READER) as connection:
                while not ended.is_set():
                    if connection.autocommit:
                        answer = connection.execute(
                            "select min(release_id), max(release_id), min(value), max(value), count(*),"
                            " (select min(m01_3) from marts.action_1_bright_future) from marts.indicator_value"
                        ).fetchone()
                    else:
                        connection.execute("set transaction isolation level repeatable read")
                        cell = connection.execute(
                            "select min(release_id), max(release_id), min(value), max(value), count(*)"
                            " from marts.indicator_value"
                        ).fetchone()
                        wide = connection.execute("select min(m01_3) from marts.action_1_bright_future").fetchone()
                        answer = (*(cell or ()), *(wide or ()))
                        connection.rollback()
                    answers[number] += 1
                    # The n-th release says n - 1 in every cell.
                    first, last, low, high, count, wide_low = answer or (0,) * 6
                    if not (first == last and low == high == wide_low == first - 1 and count == len(areas)):
                        faults.append(f"{answer}")
        except psycopg.Error as error:
            faults.append(str(error))

    def watch() -> None:
        nonlocal samples
        with psycopg.connect(marts, autocommit=True) as connection:
            while not ended.wait(0.002):
                samples += 1
                faults.extend(f"waits: {row}" for row in connection.execute(WAITING_READERS, [READER]))

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    threads.append(threading.Thread(target=watch))
    for thread in threads:
        thread.start()
    for number in range(1, 101):
        release(marts, dict.fromkeys(cells, number))  # type: ignore[misc]
    ended.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert min(answers) > 20
    assert samples > 100, "a sample or more a release"
    assert rows(marts, "select count(*) from history.indicator_value") == [(100 * len(areas),)]


def test_a_reader_that_waits_for_a_lock_is_seen(marts: str) -> None:
    """What the test above looks for is there to be found."""
    release(marts, {A: 20})
    with psycopg.connect(marts) as rebuilding, psycopg.connect(marts, application_name=READER) as reading:
        rebuilding.execute("lock table marts.indicator_value_stored in access exclusive mode")
        reader = threading.Thread(target=reading.execute, args=("select count(*) from marts.indicator_value",))
        reader.start()
        with psycopg.connect(marts, autocommit=True) as connection:
            while not connection.execute(WAITING_READERS, [READER]).fetchall():
                assert reader.is_alive()
        rebuilding.rollback()
        reader.join()


def test_an_undo_says_the_old_again_and_holds_what_came(marts: str) -> None:
    first_batch = new_batch(marts)
    release(marts, {A: 20, B: 30, P: 50}, batches=[first_batch])
    batch = new_batch(marts, county="330102")
    release(marts, {A: 99, B: 30, P: 129}, batches=[batch])
    assert undo.undo(marts, note="wrong file", manifest=small_manifest()) == 3
    assert served(marts) == {A: 20, B: 30, P: 50}
    assert rows(marts, "select distinct release_id from marts.indicator_value") == [(3,)]
    assert rows(marts, "select area_code, value_release_id from marts.indicator_value order by 1") == [
        ("330000", 3),
        ("330102", 3),
        ("330103", 1),
    ]
    assert history.difference(marts, 1) == [], "the same, though another release says it"
    assert rows(marts, "select batch_id, model, held_by_release_id from ops.hold") == [(batch, None, 3)]
    with psycopg.connect(marts) as connection:
        assert pending_batches(connection) == []
    # Other work goes on, but what the held batch reaches stays as it is.
    release(marts, {A: 99, B: 31, P: 130})
    assert served(marts) == {A: 20, B: 31, P: 50}
    assert holds.free(marts, batches=[batch]) == 1
    with psycopg.connect(marts) as connection:
        assert pending_batches(connection) == [batch]
    release(marts, {A: 99, B: 31, P: 130}, batches=[batch])
    assert served(marts) == {A: 99, B: 31, P: 130}


def test_a_hold_reaches_every_period_that_it_overlaps(marts: str) -> None:
    june = Slice("M01-3", "330102", dt.date(2026, 6, 1), dt.date(2026, 6, 30))
    with psycopg.connect(marts) as connection:
        assert holds.note_held(connection, [june])
        held = connection.execute("select period_type, period_end from held_slice order by 1").fetchall()
    assert held == [
        ("month", dt.date(2026, 6, 30)),
        ("quarter", dt.date(2026, 6, 30)),
        ("year", dt.date(2026, 12, 31)),
    ]


def test_undo_goes_back_step_by_step_but_not_before_the_first(marts: str) -> None:
    for value in (1, 2, 3):
        release(marts, {A: 10 * value})
    assert [undo.undo(marts, note="", manifest=small_manifest()) for _ in range(2)] == [4, 5]
    assert served(marts) == {A: 10}
    with pytest.raises(ReleaseError, match="first"):
        undo.undo(marts, note="", manifest=small_manifest())


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


def test_a_value_that_is_lost_on_the_way_to_what_is_shown_is_not_released(marts: str) -> None:
    set_cells(marts, {A: 35, B: 25})
    manifest = small_manifest()
    manifest.nodes["model.threegaps.indicator_cell"] = {"name": "indicator_cell", "config": {}}  # type: ignore[index]
    with psycopg.connect(marts) as connection:
        connection.execute(
            "create table core.seed_indicator as"
            " select 'M01-3' as indicator_code, 'none' as disclosure, 'count' as method;"
            "create table core.seed_method as select 'count' as method, false as is_additive,"
            " 'count' as numerator_is, 'numerator' as value_from;"
            "create table core.indicator_part as select distinct indicator_code, breakdown, breakdown_value,"
            " 'county' as area_level from build.indicator_value;"
            "create table build.indicator_cell as select * from build.indicator_value;"
            "create table build.indicator_measured as"
            " select *, 50::bigint as n_persons, 5::bigint as n_employers, 0.5 as largest_employer_share"
            " from build.indicator_value"
        )
        assert checks.findings(connection, manifest) == []
        connection.execute("update build.indicator_value set value = null where value = 35")
        assert checks.findings(connection, manifest) == [
            "valued: M01-3 has a value that is not hidden and not shown in 1 cells, first in the period to 2026-06-30"
        ]


def test_a_count_of_persons_that_is_not_in_tens_is_not_released(marts: str) -> None:
    """The province's own total is: nothing follows from it."""
    set_cells(marts, {A: 35, B: 30, P: 65})
    manifest = small_manifest()
    manifest.nodes["model.threegaps.indicator_cell"] = {"name": "indicator_cell", "config": {}}  # type: ignore[index]
    with psycopg.connect(marts) as connection:
        connection.execute(
            "create table core.seed_indicator as"
            " select 'M01-3' as indicator_code, 'persons' as disclosure, 'count' as method;"
            "create table core.seed_method as select 'count' as method, true as is_additive,"
            " 'count' as numerator_is, 'numerator' as value_from;"
            "create table core.indicator_part as select distinct indicator_code, breakdown, breakdown_value,"
            " 'county' as area_level from build.indicator_value;"
            "create table build.indicator_cell as select * from build.indicator_value;"
            "create table build.indicator_measured as"
            " select *, 50::bigint as n_persons, 5::bigint as n_employers, 0.5 as largest_employer_share"
            " from build.indicator_value"
        )
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


def test_the_list_of_releases_says_what_it_is_in_chinese(marts: str) -> None:
    release(marts, {A: 20})
    described = rows(
        marts,
        "select attname, col_description(attrelid, attnum) from pg_attribute"
        " where attrelid = 'marts.dim_release'::regclass and attnum > 0",
    )
    assert [name for name, comment in described if not re.search("[\u4e00-\u9fff]", comment or "")] == []


def test_served_tables_are_what_the_manifest_says_and_only_grow(marts: str) -> None:
    release(marts, {A: 20})
    with psycopg.connect(marts) as connection:
        assert differences(connection, small_manifest()) == []
        grown = small_manifest(m01_5="numeric(20,4)")
        assert differences(connection, grown) == ["marts.action_1_bright_future.m01_5 is missing"]
    apply_served(marts, grown)
    apply_served(marts, small_manifest())
    with psycopg.connect(marts) as connection:
        assert differences(connection, grown) == []
        comment = connection.execute("select obj_description('marts.indicator_value'::regclass)").fetchone()
        assert comment is not None
        assert "合成数据" in comment[0]
        connection.execute("alter table marts.action_1_bright_future disable row level security")
        connection.execute("revoke select on marts.action_1_bright_future from bi_reader")
        assert differences(connection, small_manifest()) != []
    with pytest.raises(ReleaseError, match="m01_3"):
        apply_served(marts, small_manifest(m01_3="text"))


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
    state = rows(marts, "select status, message from ops.build where build_id = %s", broken)
    assert state[0][0] == "failed"
    assert "suppressed" in state[0][1]


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


def test_manifest_refuses_a_served_model_without_a_key() -> None:
    from threegaps.errors import BuildError

    raw = dict(small_manifest().raw)
    node = dict(raw["nodes"]["model.threegaps.indicator_value"]) | {"config": {"meta": {"served": True}}}
    with pytest.raises(BuildError, match="indicator_value"):
        _ = Manifest(raw | {"nodes": {"model.threegaps.indicator_value": node}}).served
