"""What was there when figures became final, by what the releases said."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.release.small_marts import make_build_schema, manifest_with_exact, new_build
from threegaps.cli import doctor, queries
from threegaps.marts.lock import held_by_builder
from threegaps.release import apply, arrival, settling, undo
from threegaps.release.served import apply_served
from threegaps.settings import Settings

pytestmark = pytest.mark.integration
MONTHS = ("2026-03-31", "2026-04-30", "2026-05-31")


MANIFEST = manifest_with_exact(n_persons="bigint")


@pytest.fixture
def marts(warehouse: str) -> str:
    make_build_schema(warehouse)
    with psycopg.connect(warehouse) as connection:
        connection.execute("create table build.indicator_cell (like build.indicator_value)")
        connection.execute("alter table build.indicator_cell add column n_persons bigint")
        connection.execute(
            "create table core.seed_indicator as select * from (values"
            " ('M01-1', 7, true), ('M21-5', 0, true), ('M08-1', 1, true), ('M09-1', 1, false))"
            " as v (indicator_code, matures_after_months, is_built),"
            " (values ('名', 'name', '理由', 'reason')) as w (name_zh, name_en, settles_zh, settles_en)"
        )
    apply_served(warehouse, MANIFEST)
    return warehouse


def release(dsn: str, as_of: str, persons: int, *, maturity: str = "final") -> None:
    """A share of 80 % among *persons* in each of three months, and as many firms on a roster."""
    with psycopg.connect(dsn) as connection:
        connection.execute("truncate build.indicator_value, build.indicator_cell")
        connection.execute(
            "insert into build.indicator_value (indicator_code, area_code, area_level, period_type, period_start,"
            " period_end, period_label, breakdown, breakdown_value, numerator, denominator, value, status, maturity,"
            " value_status, rounding, covered_from, covered_to, audience, data_as_of)"
            " select code, '330000', 'province', 'month', date_trunc('month', month), month, month::text, 'total',"
            " 'total', 0.8 * %(persons)s, %(persons)s, 80, 'no_target', %(maturity)s, 'reported', 'none', month,"
            " month, 'public', %(as_of)s"
            " from unnest(%(months)s::date[]) as month cross join (values ('M01-1'), ('M08-1')) as indicator (code)",
            {"persons": persons, "maturity": maturity, "as_of": as_of, "months": list(MONTHS)},
        )
        connection.execute(
            "insert into build.indicator_cell select *, case when indicator_code = 'M01-1' then denominator end"
            " from build.indicator_value"
        )
    with held_by_builder(dsn) as connection:
        build = new_build(connection)
        connection.execute("update ops.build set as_of = %s where build_id = %s", [as_of, build])
        apply.apply_build(connection, MANIFEST, build)


def found(dsn: str, **options: int) -> dict[str, tuple[int, float | None]]:
    with psycopg.connect(dsn) as connection:
        return {one.indicator_code: (one.periods, one.percent) for one in arrival.arrived(connection, **options)}


def test_what_comes_late_on_both_sides_of_a_share_is_found(marts: str) -> None:
    """95 of 100 were there: the share stays 80 %, so no revision of it says so."""
    release(marts, "2026-06-30", 900, maturity="provisional")
    release(marts, "2026-07-31", 950)
    assert found(marts) == {"M01-1": (0, None), "M08-1": (0, None)}, "nothing could have come since"
    release(marts, "2026-08-31", 1000)
    assert found(marts) == {"M01-1": (3, 95.0), "M08-1": (3, 95.0)}
    assert found(marts, fewest_periods=4) == {"M01-1": (3, None), "M08-1": (3, None)}
    with psycopg.connect(marts) as connection:
        assert settling.unsettled(connection, fewest_figures=1) == []
        short = [str(one) for one in arrival.arrived(connection) if one.is_short]
    assert short == ["M01-1 95.00 %", "M08-1 95.00 %"]


def test_what_was_there_or_has_gone_is_measured_alike(marts: str) -> None:
    release(marts, "2026-06-30", 900, maturity="provisional")
    release(marts, "2026-07-31", 1000)
    release(marts, "2026-08-31", 1000)
    assert found(marts)["M01-1"] == (3, 100.0)
    release(marts, "2026-09-30", 996)
    with psycopg.connect(marts) as connection:
        assert [one.is_short for one in arrival.arrived(connection)] == [False, False]
    release(marts, "2026-10-31", 900)
    assert found(marts)["M01-1"] == (3, 90.0)


def test_the_first_release_does_not_show_how_its_figures_came(marts: str) -> None:
    release(marts, "2026-06-30", 1000)
    release(marts, "2026-08-31", 1000)
    assert found(marts)["M01-1"] == (0, None)


def test_what_was_undone_counts_as_never_said(marts: str) -> None:
    release(marts, "2026-06-30", 900, maturity="provisional")
    release(marts, "2026-07-31", 500)
    undo.undo(marts, note="wrong file", manifest=MANIFEST)
    with psycopg.connect(marts) as connection:
        connection.execute("delete from ops.hold")
    release(marts, "2026-07-31", 990)
    release(marts, "2026-08-31", 1000)
    assert found(marts)["M01-1"] == (3, 99.0)


def test_the_doctor_and_the_catalogue_say_it(marts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda _: marts)
    settings = Settings.load({})
    release(marts, "2026-06-30", 900, maturity="provisional")
    release(marts, "2026-07-31", 950)

    def said() -> tuple[str, list[tuple[str, float | None]]]:
        (state,) = [one["state"] for one in doctor.examine(settings) if one["name"] == "arrival"]
        return state, [(row["indicator_code"], row["percent"]) for row in queries.arrivals(settings)]

    monkeypatch.setattr(doctor, "_CHECKS", tuple(check for check in doctor._CHECKS if check[0] == "arrival"))
    assert said() == ("ok", [("M01-1", None), ("M08-1", None)])
    release(marts, "2026-08-31", 1000)
    assert said() == ("warning", [("M01-1", 95.0), ("M08-1", 95.0)])


def test_a_warehouse_without_a_release_says_nothing(warehouse: str) -> None:
    assert found(warehouse) == {}
