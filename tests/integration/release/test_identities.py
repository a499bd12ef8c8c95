"""Figures that do not fit together are found, each kind with the severity that the catalogue gives it."""

from __future__ import annotations

import psycopg
import pytest

from threegaps.release.identities import broken

pytestmark = pytest.mark.integration

_TABLES = """
create schema if not exists build;
create schema if not exists core;
create table build.indicator_cell (
    indicator_code text, area_code text, area_level text, period_type text, period_start date, period_end date,
    breakdown text, breakdown_value text, numerator numeric, denominator numeric, value numeric);
create table core.seed_indicator as select * from (values
    ('S', '%', 'ratio_of_sums'), ('T', '人次', 'count'), ('K', '家', 'count'), ('R', '倍', 'ratio_of_sums'),
    ('M', '倍', 'ratio_of_medians'))
    as v (indicator_code, unit_zh, method);
create table core.seed_method as select * from (values
    ('ratio_of_sums', 'count', 'quotient'), ('count', 'count', 'numerator'), ('ratio_of_medians', 'median', 'quotient'))
    as v (method, numerator_is, value_from);
create table core.seed_breakdown as select * from (values
    ('sex', 'numerator'), ('highest_level', 'denominator'), ('total', 'numerator'), ('priority_group', null))
    as v (breakdown, numerators_add_up_to);
create table build.int_published_figure as select * from (values
    ('330000', date '2024-12-31', 'skilled', 900), ('330000', date '2025-12-31', 'skilled', 1000))
    as v (area_code, as_of, item, value);
create table core.fct_resident_income as select * from (values
    ('330000', date '2026-06-30', 1.77, 'integrated'), ('330000', date '2026-06-30', 2.5, 'old_2013'))
    as v (area_code, period_end, urban_rural_ratio_printed, definition);
create table core.seed_identity as select * from (values
    ('within', 'S', 'total', 'total', 'denominator', 'at_most', 'T', 'total', 'total', 'numerator', null, 'any', 'stop',
     '理由', 'reason'),
    ('published', 'T', 'total', 'total', 'numerator', 'at_most', null, null, null, null, 'skilled', 'province', 'warn',
     '理由', 'reason'),
    ('printed', 'R', 'total', 'total', 'value', 'rounds_to', null, null, null, null, '城乡居民收入比', 'any', 'warn',
     '理由', 'reason'),
    ('in-and-out', 'K', 'total', 'total', 'numerator', 'change', null, null, null, null, null, 'county,province',
     'warn', '理由', 'reason'),
    ('sources', 'S', 'total', 'total', 'source', 'at_most', null, null, null, 'source', null, 'province', 'warn',
     '理由', 'reason'),
    ('cell-and-source', 'S', 'total', 'total', 'numerator', 'at_most', null, null, null, 'source', null, 'province',
     'warn', '理由', 'reason')) as v (identity_code, indicator_code, breakdown, breakdown_value, part, relation,
     other_indicator_code, other_breakdown, other_breakdown_value, other_part, published_item, levels, severity,
     basis_zh, basis_en);
create table build.int_stock_change as select * from (values
    ('in-and-out', '330102', date '2026-04-01', 5), ('in-and-out', '330102', date '2026-06-30', -2),
    ('in-and-out', '330102', date '2026-03-31', 10), ('in-and-out', '330103', date '2026-07-01', 10))
    as v (identity_code, area_code, changed_on, change);
create table build.int_source_check (identity_code text, period_end date, said numeric, wanted numeric);
"""
Cell = tuple[str, str, str, float | None, float | None]
SOUND: tuple[Cell, ...] = (
    ("S", "total", "total", 40, 100),
    ("S", "sex", "M", 15, 50),
    ("S", "sex", "F", 25, 50),
    ("S", "highest_level", "5", 30, 100),
    ("T", "total", "total", 950, None),
    ("T", "priority_group", "01", 900, None),
    ("T", "priority_group", "02", 900, None),
    ("R", "total", "total", 300, 100),
    # medians of parts have no sum
    ("M", "total", "total", 9000, 7000),
    ("M", "sex", "M", 9500, 7200),
    ("M", "sex", "F", 8100, 6900),
)


@pytest.fixture
def cells(warehouse: str) -> str:
    with psycopg.connect(warehouse) as connection:
        connection.execute(_TABLES.encode())
    return warehouse


def found(
    dsn: str, *changed: Cell, period_end: str = "2026-06-30", ratio: float = 1.7667
) -> list[tuple[str, str, int]]:
    """What is found when cells of the sound ones are changed; *ratio* is the value of R."""
    rows = {row[:3]: row for row in (*SOUND, *changed)}
    with psycopg.connect(dsn) as connection:
        connection.execute("truncate build.indicator_cell")
        for code, breakdown, part, numerator, denominator in rows.values():
            connection.execute(
                "insert into build.indicator_cell"
                " values (%s, '330000', 'province', 'quarter', null, %s, %s, %s, %s, %s, %s)",
                [code, period_end, breakdown, part, numerator, denominator, ratio if code == "R" else None],
            )
        return [(one.identity_code, one.severity, one.cells) for one in broken(connection)]


def test_figures_that_fit_are_left_alone(cells: str) -> None:
    assert found(cells) == []


def test_parts_that_do_not_add_up_and_parts_that_need_not(cells: str) -> None:
    assert found(cells, ("S", "sex", "F", 24, 50)) == [("S/sex", "stop", 1)]
    assert found(cells, ("T", "priority_group", "02", 10, None)) == []
    assert found(cells, ("S", "highest_level", "5", 41, 100)) == []


def test_a_share_above_its_whole_and_a_ratio_that_may_be(cells: str) -> None:
    assert found(cells, ("S", "highest_level", "5", 101, 100)) == [("S/share", "stop", 1)]
    assert found(cells, ("R", "total", "total", 900, 100)) == []
    assert found(cells, ("S", "highest_level", "5", -1, 100)) == [("S/share", "stop", 1)]


def test_a_subset_larger_than_its_set_and_more_than_what_was_published(cells: str) -> None:
    assert found(cells, ("T", "total", "total", 99, None)) == [("within", "stop", 1)]
    assert found(cells, ("T", "total", "total", 1001, None)) == [("published", "warn", 1)]
    # before the last figure the one before counts; before the first there is nothing to compare with
    assert found(cells, period_end="2025-06-30") == [("published", "warn", 1)]
    assert found(cells, period_end="2023-12-31") == []


def test_a_ratio_that_is_not_the_one_printed_of_the_same_day(cells: str) -> None:
    assert found(cells, ratio=1.775) == []
    assert found(cells, ratio=1.7751) == [("printed", "warn", 1)]
    assert found(cells, ratio=1.7649) == [("printed", "warn", 1)]
    # what was printed of another day says nothing of this one
    assert found(cells, ratio=1.9, period_end="2026-09-30") == []


@pytest.mark.parametrize(
    ("province", "county", "broken_cells"),
    [(13, 13, 0), (14, 13, 1), (14, 14, 2)],
    ids=["as the flows say", "the province alone", "both"],
)
def test_a_stock_that_its_flows_do_not_explain(cells: str, province: int, county: int, broken_cells: int) -> None:
    stocks = (("330000", "province", 10, province), ("330102", "county", 10, county), ("330103", "county", 0, 0))
    with psycopg.connect(cells) as connection:
        for area, level, before, after in stocks:
            for start, end, number in (("2026-01-01", "2026-03-31", before), ("2026-04-01", "2026-06-30", after)):
                connection.execute(
                    "insert into build.indicator_cell values ('K', %s, %s, 'quarter', %s, %s, 'total', 'total', %s)",
                    [area, level, start, end, number],
                )
        found = [(one.identity_code, one.severity, one.cells) for one in broken(connection)]
    assert found == ([("in-and-out", "warn", broken_cells)] if broken_cells else [])


def test_sources_that_contradict_one_another_or_a_figure(cells: str) -> None:
    with psycopg.connect(cells) as connection:
        connection.execute(
            "insert into build.int_source_check values"
            " ('sources', '2026-06-30', 0, 0), ('sources', '2026-03-31', 1, 0),"
            " ('cell-and-source', '2026-06-30', null, 40), ('cell-and-source', '2026-03-31', null, 1)"
        )
    assert found(cells) == [("sources", "warn", 1)]
    assert found(cells, ("S", "total", "total", 41, 100), ("S", "sex", "F", 26, 50)) == [
        ("cell-and-source", "warn", 1),
        ("sources", "warn", 1),
    ]


def test_a_warehouse_without_cells_breaks_nothing(warehouse: str) -> None:
    with psycopg.connect(warehouse) as connection:
        assert broken(connection) == []
