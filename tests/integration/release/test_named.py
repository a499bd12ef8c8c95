"""What a person with a BI tool reads: names, one kind of period, and no way to count twice by forgetting a filter."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.integration.release.small_marts import CELL_COLUMNS, CELL_KEY, node
from threegaps.cli import queries
from threegaps.marts.manifest import Manifest
from threegaps.release.marks import SYNTHETIC
from threegaps.release.served import apply_served

pytestmark = pytest.mark.integration

DIMENSIONS: dict[str, tuple[dict[str, str], list[str]]] = {
    "dim_indicator": (
        dict.fromkeys(
            ("indicator_code", "action_code", "action_name_zh", "action_name_en", "name_zh", "name_en", "unit_zh",
             "unit_en"), "text",
        )
        | {"decimals": "integer"}
        | dict.fromkeys(
            ("is_additive_over_areas", "is_additive_over_periods", "has_summable_sides", "is_published_figure"),
            "boolean",
        ),
        ["indicator_code"],
    ),
    "dim_area": (
        dict.fromkeys(("area_code", "area_level", "name_zh", "name_en", "parent_code"), "text")
        | {"sort_order": "integer"},
        ["area_code"],
    ),
    "dim_breakdown": (
        dict.fromkeys(
            ("breakdown", "breakdown_name_zh", "breakdown_name_en", "breakdown_value", "name_zh", "name_en"), "text"
        )
        | {"sort_order": "integer", "parts_overlap": "boolean", "parts_add_up": "boolean"},
        ["breakdown", "breakdown_value"],
    ),
    "dim_reported_figure": (
        dict.fromkeys(
            ("indicator_code", "area_code", "period_type", "breakdown", "breakdown_value", "reported_bound", "note_zh",
             "note_en", "source", "source_url"), "text",
        )
        | {"period_end": "date", "reported_on": "date", "reported_value": "numeric"},
        ["indicator_code", "area_code", "period_type", "period_end", "breakdown", "breakdown_value", "source"],
    ),
    "indicator_latest": (
        dict.fromkeys(("indicator_code", "area_level", "period_type"), "text") | {"period_end": "date"},
        ["indicator_code", "area_level", "period_type"],
    ),
}  # fmt: skip
AREAS = [
    ("330000", "province", "浙江省", "Zhejiang Province", None),
    ("330100", "city", "杭州市", "Hangzhou City", "330000"),
    ("330200", "city", "宁波市", "Ningbo City", "330000"),
    ("330102", "county", "上城区", "Shangcheng District", "330100"),
    ("330203", "county", "海曙区", "Haishu District", "330200"),
    ("G-MI", "group", "山区海岛县", "Mountain and island counties", "330000"),
]
# Trainings: every level, months beside their quarter, a part beside its total.
CITIES = {"330100": 1200, "330200": 800}
COUNTIES = {"330102": 700, "330203": None}


def manifest() -> Manifest:
    nodes = [
        node("indicator_value", CELL_COLUMNS, served=True, key=CELL_KEY),
        *(node(name, columns, served=True, key=key, row_policy="none") for name, (columns, key) in DIMENSIONS.items()),
    ]
    return Manifest({"nodes": {one["name"]: one for one in nodes}, "macros": {}, "metadata": {}})


def insert(connection: psycopg.Connection[Any], relation: str, **row: object) -> None:
    connection.execute(
        sql.SQL("insert into marts.{} ({}, value_release_id) values ({}, 1)").format(
            sql.Identifier(relation),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Literal, row.values())),
        )
    )


def cell(connection: psycopg.Connection[Any], area: str, value: float | None, **other: object) -> None:
    row: dict[str, object] = {
        "indicator_code": "M01-3",
        "area_code": area,
        "area_level": next(level for code, level, *_ in AREAS if code == area),
        "period_type": "quarter",
        "period_start": "2026-04-01",
        "period_end": "2026-06-30",
        "period_label": "2026Q2",
        "breakdown": "total",
        "breakdown_value": "total",
        "value": value,
        "maturity": "final",
        "value_status": "reported" if value is not None else "suppressed",
        "status": "no_target",
        "rounding": "none" if value is not None else None,
        "audience": "public",
    }
    insert(connection, "indicator_value_stored", **(row | other))


@pytest.fixture(scope="module")
def marts(warehouses: Any) -> str:
    dsn: str = warehouses.new()
    apply_served(dsn, manifest())
    with psycopg.connect(dsn) as connection:
        connection.execute("insert into marts.dim_release values (1, 'build', '2026-06-30', now())")
        for order, (code, level, name_zh, name_en, parent) in enumerate(AREAS):
            insert(connection, "dim_area", area_code=code, area_level=level, name_zh=name_zh, name_en=name_en,
                   parent_code=parent, sort_order=order)  # fmt: skip
        for code, name, unit, unit_en, decimals in (
            ("M01-3", "培训人次", "人次", "person-times", 0),
            ("M01-1", "就业率", "%", "%", 1),
            ("G1-2", "城乡比", "倍", "times", 2),
        ):
            insert(connection, "dim_indicator", indicator_code=code, name_zh=name, name_en=code, unit_zh=unit,
                   unit_en=unit_en, decimals=decimals, is_additive_over_areas=code == "M01-3",
                   is_additive_over_periods=code == "M01-3", has_summable_sides=code != "G1-2",
                   is_published_figure=False)  # fmt: skip
        insert(connection, "dim_breakdown", breakdown="priority_group", breakdown_name_zh="重点群体",
               breakdown_name_en="priority group", breakdown_value="05", name_zh="残疾人", name_en="disabled persons",
               sort_order=5, parts_overlap=True, parts_add_up=False)  # fmt: skip
        insert(connection, "indicator_latest", indicator_code="M01-3", area_level="city", period_type="quarter",
               period_end="2026-06-30")  # fmt: skip
        insert(connection, "indicator_latest", indicator_code="M01-3", area_level="city", period_type="ytd",
               period_end="2026-05-31")  # fmt: skip
        for area, reported in (("330100", 1500), ("330203", 40), ("330102", 800)):
            # of the last of them nothing is counted in that period
            insert(connection, "dim_reported_figure", indicator_code="M01-3", area_code=area, period_type="quarter",
                   period_end="2030-06-30" if area == "330102" else "2026-06-30", breakdown="total",
                   breakdown_value="total", reported_value=reported, reported_bound="above", source="a")  # fmt: skip
        cell(connection, "330000", 2000)
        cell(connection, "G-MI", 60)
        for area, value in {**CITIES, **COUNTIES}.items():
            cell(connection, area, value, numerator=None if value is None else value + 1, covered_to="2026-06-30")
        for area, value in CITIES.items():
            cell(connection, area, value // 10, breakdown="priority_group", breakdown_value="05")
            cell(connection, area, value // 10, breakdown="age_band", breakdown_value="x")
            cell(connection, area, value * 2, period_start="2026-01-01", period_end="2026-03-31", period_label="2026Q1")
            for month in (4, 5, 6):
                cell(connection, area, value // 3, period_type="month", period_start=f"2026-0{month}-01",
                     period_end=f"2026-0{month}-28", period_label=f"2026-0{month}")  # fmt: skip
        running = {"period_type": "ytd", "period_start": "2026-01-01", "period_end": "2026-05-31",
                   "period_label": "2026年1—5月"}  # fmt: skip
        cell(connection, "330100", 99, maturity="provisional", **running)
        year = {"period_type": "year", "period_start": "2025-01-01", "period_end": "2025-12-31", "period_label": "2025"}
        share = {"indicator_code": "M01-1"} | year
        cell(connection, "330100", 66.6667, is_revised=True, **share)
        cell(connection, "330200", 30, maturity="provisional", **share)
        cell(connection, "330102", None, value_status="immature", maturity="provisional", **share)
        cell(connection, "330203", None, value_status="not_supplied", **share)
        cell(connection, "330000", None, value_status="not_applicable", **share)
        cell(connection, "330000", 1.9, **({"indicator_code": "G1-2"} | year))
    return dsn


def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_chart_of_all_cities_needs_one_relation_and_one_filter(marts: str) -> None:
    """Whoever forgets level, part, type of period or release still sees each city's own figure in each quarter."""
    chart = (
        "select period_label, city_name_zh, sum(value)::int from {} where indicator_name_zh = '培训人次'"
        " and city_name_zh is not null group by 1, 2 order by 1, 2"
    )
    assert rows(marts, chart.format("marts.quarterly")) == [
        ("2026Q1", "宁波市", 1600),
        ("2026Q1", "杭州市", 2400),
        ("2026Q2", "宁波市", 800),
        ("2026Q2", "杭州市", 1200),
    ]
    # The same question to the long table mixes months with quarters, and a part with its total.
    long = rows(marts, "select sum(value)::int from marts.indicator_value where area_code = '330100'"
                       " and indicator_code = 'M01-3' and period_start >= '2026-04-01'")  # fmt: skip
    assert long == [(1200 + 120 + 120 + 3 * 400,)]


def test_no_two_rows_of_a_view_speak_of_one_area_and_period(marts: str) -> None:
    for view in ("monthly", "quarterly", "yearly", "cumulative"):
        assert rows(marts, f"select count(*) > 0 from marts.{view}") == [(True,)]
        assert not rows(
            marts,
            f"select 1 from marts.{view} group by indicator_code, area_code, period_end having count(*) > 1",
        )


def test_a_provisional_figure_stands_apart(marts: str) -> None:
    asked = "select value, provisional_value::int, numerator, value_text from marts.cumulative"
    assert rows(marts, asked) == [(None, 99, None, "99人次(暂定)")]
    additive = "select distinct is_additive_over_periods from marts.{}"
    assert rows(marts, additive.format("cumulative")) == [(False,)], "a year to date contains the one before it"
    assert (True,) in rows(marts, additive.format("quarterly"))
    settled = "select value::int, numerator::int, covered_to::text from marts.quarterly where area_code = '330100'"
    assert (1200, 1201, "2026-06-30") in rows(marts, settled)


@pytest.mark.parametrize(
    ("area", "text", "english"),
    [
        ("330100", "66.7%(修订)", "66.7% (revised)"),
        ("330200", "30.0%(暂定)", "30.0% (provisional)"),
        ("330102", "未到观察期", "not yet observable"),
        ("330203", "未报送", "not supplied"),
        ("330000", "不适用", "not applicable"),
    ],
)
def test_a_value_is_written_as_people_write_it(marts: str, area: str, text: str, english: str) -> None:
    asked = (
        "select value_text, value_text_en from marts.indicator_named"
        f" where indicator_code = 'M01-1' and area_code = '{area}'"
    )
    assert rows(marts, asked) == [(text, english)]


def test_units_decide_decimals_and_spaces(marts: str) -> None:
    texts = "select value_text, value_text_en from marts.{} where area_code = '330000' and indicator_code = '{}'"
    assert rows(marts, texts.format("yearly", "G1-2")) == [("1.90倍", "1.90 times")]
    assert rows(marts, texts.format("quarterly", "M01-3")) == [("2,000人次", "2,000 person-times")]
    hidden = "select value, value_text from marts.quarterly where area_code = '330203'"
    assert rows(marts, hidden) == [(None, "已隐去")]


@pytest.mark.parametrize(
    ("unit", "unit_en", "rounding", "text", "english"),
    [
        ("万元", "×10,000 yuan", "tens", "约2,000万元", "about 2,000 ×10,000 yuan"),
        ("万元", "×10,000 yuan", "none", "2,000.0万元", "2,000.0 ×10,000 yuan"),
        ("个", "number", "none", "2,000.0个", "2,000.0"),
    ],
)
def test_an_amount_in_tens_has_no_decimals_and_a_mere_number_no_unit(
    marts: str, unit: str, unit_en: str, rounding: str, text: str, english: str
) -> None:
    with psycopg.connect(marts) as connection:
        insert(connection, "dim_indicator", indicator_code="M17-1", unit_zh=unit, unit_en=unit_en, decimals=1,
               has_summable_sides=True)  # fmt: skip
        cell(connection, "330000", 2000, indicator_code="M17-1", rounding=rounding, change_unit="unit")
        found = connection.execute(
            "select value_text, value_text_en, change_unit_zh, change_unit_en from marts.indicator_named"
            " where indicator_code = 'M17-1'"
        ).fetchall()
        connection.rollback()
    assert found == [(text, english, unit, unit_en)]


def test_a_demonstration_is_marked_in_each_row(marts: str) -> None:
    asked = "select value_text, value_text_en, is_demonstration from marts.{} where indicator_code = 'G1-2'"
    views = ("yearly", "indicator_named")
    for view in views:
        assert rows(marts, asked.format(view)) == [("1.90倍", "1.90 times", False)]
    with psycopg.connect(marts) as connection:
        connection.execute("insert into marts.dim_release values (2, 'build', '2026-06-30', now(), null, null, true)")
        for view in views:
            found = connection.execute(asked.format(view).encode()).fetchall()
            assert found == [("1.90倍(演示)", "1.90 times (demonstration)", True)]
        hidden = connection.execute("select value_text from marts.quarterly where area_code = '330203'").fetchall()
        assert hidden == [("已隐去",)]
        connection.rollback()


def test_every_cell_has_a_row_and_its_names(marts: str) -> None:
    assert rows(marts, "select count(*) from marts.indicator_named") == rows(
        marts, "select count(*) from marts.indicator_value"
    )
    part = (
        "select distinct breakdown_zh, breakdown_value_en, parts_overlap from marts.indicator_named"
        " where breakdown = '{}'"
    )
    assert rows(marts, part.format("priority_group")) == [("重点群体", "disabled persons", True)]
    assert rows(marts, part.format("age_band")) == [("age_band", "x", False)], "without a label its code stands there"
    assert rows(
        marts,
        "select area_level_zh, county_name_zh, city_name_zh, parent_name_zh from marts.quarterly"
        " where area_code = '330102'",
    ) == [("县(市、区)", "上城区", None, "杭州市")]


def test_the_latest_is_one_period_of_each_level(marts: str) -> None:
    asked = "select distinct period_label from marts.quarterly where is_latest and area_level = 'city'"
    assert rows(marts, asked) == [("2026Q2",)]
    # of the running year nothing is settled, and the newest reported one is not taken for it
    assert rows(marts, "select period_label, is_latest from marts.cumulative") == [("2026年1—5月", False)]


def test_views_say_what_they_are_in_both_languages(marts: str) -> None:
    for view in ("indicator_named", "monthly", "quarterly", "yearly", "cumulative", "as_of_day", "indicator_revision",
                 "indicator_revision_rate"):  # fmt: skip
        comments = rows(
            marts,
            f"select obj_description('marts.{view}'::regclass) union all select col_description(attrelid, attnum)"
            f" from pg_attribute where attrelid = 'marts.{view}'::regclass and attnum > 0",
        )
        assert len(comments) > 5
        assert [text for (text,) in comments if " | " not in (text or "")] == []
        assert SYNTHETIC in rows(marts, f"select obj_description('marts.{view}'::regclass)")[0][0]


def test_a_view_checks_the_readers_own_rights_and_is_made_once(marts: str) -> None:
    options = (
        "select distinct reloptions::text from pg_class where relkind = 'v' and relnamespace = 'marts'::regnamespace"
        # these read the ledger, on which readers have no rights (threegaps.release.live)
        " and relname not in ('feed_health', 'reporting_rate')"
    )
    assert rows(marts, options) == [("{security_invoker=true}",)]
    identity = "select ev_class, xmin::text from pg_rewrite"
    before = sorted(rows(marts, identity))
    apply_served(marts, manifest())
    assert sorted(rows(marts, identity)) == before, "a view that is as it should be is left alone"


def test_the_command_line_asks_for_the_rates_by_name(marts: str) -> None:
    assert rows(marts, queries.REVISION_RATES) == [], "after one release nothing can have been revised"
    with psycopg.connect(marts) as connection:
        connection.execute("insert into marts.dim_release values (2, 'build', '2026-06-30', now())")
        found = connection.execute(queries.REVISION_RATES.encode()).fetchall()
        connection.rollback()
    # Of the year's shares one is final, of the count all but one are, months and quarters alike.
    assert [(row[0], row[1], row[4], row[5], row[6]) for row in found] == [
        ("G1-2", "城乡比", "province", "year", "total"),
        ("M01-1", "就业率", "city", "year", "total"),
        ("M01-3", "培训人次", "province", "quarter", "total"),
        ("M01-3", "培训人次", "city", "month", "total"),
        ("M01-3", "培训人次", "city", "quarter", "total"),
        ("M01-3", "培训人次", "county", "quarter", "total"),
        ("M01-3", "培训人次", "group", "quarter", "total"),
        ("M01-3", "培训人次", "city", "quarter", "age_band"),
        ("M01-3", "培训人次", "city", "quarter", "priority_group"),
    ]


def test_what_is_reported_stands_beside_what_is_shown(marts: str) -> None:
    """The difference follows from the figure that is shown: from a hidden one and a missing one none does."""
    asked = (
        "select area_name_zh, unit_zh, reported_value::int, reported_bound, counted_value::int, counted_text,"
        " difference::int, difference_pct::float from marts.indicator_reported order by area_code"
    )
    hidden = [
        ("上城区", "人次", 800, "above", None, None, None, None),
        ("海曙区", "人次", 40, "above", None, "已隐去", None, None),
    ]
    # nothing real is subtracted from what is synthetic
    assert rows(marts, asked) == [("杭州市", "人次", 1500, "above", 1200, "1,200人次", None, None), *hidden]
    origin = "select distinct is_synthetic, data_origin_zh, data_origin_en from marts.quarterly"
    assert rows(marts, origin) == [(True, "合成数据", "synthetic data")]
    apply_served(marts, manifest(), is_synthetic=False)
    try:
        # 1500 / 1200 = 1.25
        assert rows(marts, asked) == [("杭州市", "人次", 1500, "above", 1200, "1,200人次", 300, 25.0), *hidden]
        assert rows(marts, origin) == [(False, "部门数据", "departments' data")]
    finally:
        apply_served(marts, manifest())
