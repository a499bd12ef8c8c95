"""From a figure to the files behind it, and to why it changed."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.release.small_marts import make_build_schema, new_batch, new_build, set_cells, small_manifest
from threegaps.errors import ReleaseError
from threegaps.marts.lock import held_by_builder
from threegaps.release import apply, explain, undo

pytestmark = pytest.mark.integration
A, B = ("M01-3", "330102"), ("M01-3", "330103")


@pytest.fixture
def marts(warehouse: str) -> str:
    make_build_schema(warehouse)
    with psycopg.connect(warehouse) as connection:
        connection.execute(
            "create table core.seed_indicator (indicator_code text, name_zh text, name_en text, unit_zh text,"
            " formula_zh text, formula_en text);"
            "insert into core.seed_indicator values ('M01-3', '培训人次', 'Trainings', '人次', '记录数', 'records');"
            "create table marts.dim_area (area_code text, name_zh text);"
            "insert into marts.dim_area values ('330102', '上城区');"
            # as the view writes it
            "create view marts.indicator_named as select indicator_code, area_code, period_type, period_end, breakdown,"
            " breakdown_value, '约' || round(value) || '人次' as value_text, 'about ' || round(value) as value_text_en"
            " from marts.indicator_value"
        )
    return warehouse


def batch_with_file(dsn: str, name: str, *, county: str = "330102") -> int:
    batch = new_batch(dsn, county=county)
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "with o as (insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri,"
            " size_bytes, sha256) values ('a/b', '2026-06', %s, 1, %s, 'file:///x', 3, repeat('ab', 32))"
            " returning landed_object_id) insert into ops.batch_object select %s, landed_object_id from o",
            [name, name, batch],
        )
    return batch


def release_affected(dsn: str, values: dict[tuple[str, str], int | None], batch: int) -> None:
    set_cells(dsn, values)
    with held_by_builder(dsn) as connection:
        build_id = new_build(connection)
        connection.execute("update ops.build set kind = 'affected' where build_id = %s", [build_id])
        connection.execute("insert into ops.build_input values (%s, %s)", [build_id, batch])
        connection.execute(
            "insert into ops.build_touch select %s, touch_id from ops.touch where batch_id = %s", [build_id, batch]
        )
        apply.apply_build(connection, small_manifest(), build_id)


def test_a_figure_leads_to_its_files_and_to_why_it_changed(marts: str) -> None:
    first = batch_with_file(marts, "first.csv")
    release_affected(marts, {A: 20, B: 30}, first)
    elsewhere = batch_with_file(marts, "elsewhere.csv", county="330103")
    release_affected(marts, {A: 20, B: 31}, elsewhere)
    correction = batch_with_file(marts, "correction.csv")
    release_affected(marts, {A: 21, B: 31}, correction)
    later = batch_with_file(marts, "unused.csv")
    found = explain.explain(marts, "M01-3", "330102", "2026-06", manifest=small_manifest())
    assert (found.value, found.unit_zh, found.formula_zh, found.area_name_zh) == (21, "人次", "记录数", "上城区")
    assert (found.value_text, found.value_text_en, found.rounding) == ("约21人次", "about 21", "none")
    assert (found.release_id, found.value_release_id) == (3, 3)
    assert [(one["cause"], one["source"], one["batch_id"]) for one in found.why] == [("batch", "a/b", correction)]
    assert [(one["release_from"], one["release_to"], one["value"]) for one in found.said_before] == [(1, 3, 20)]
    assert [(one["source_name"], one["sha256"]) for one in found.files] == [
        ("first.csv", "ab" * 32),
        ("correction.csv", "ab" * 32),
    ]
    assert later not in {one["batch_id"] for one in found.files}


def test_after_an_undo_the_note_says_why(marts: str) -> None:
    release_affected(marts, {A: 20}, batch_with_file(marts, "first.csv"))
    release_affected(marts, {A: 90}, batch_with_file(marts, "wrong.csv"))
    undo.undo(marts, note="wrong unit", manifest=small_manifest())
    found = explain.explain(marts, "M01-3", "330102", "2026-06", manifest=small_manifest())
    assert found.value == 20
    assert found.why == [{"cause": "undo", "source": "release 2", "note": "wrong unit"}]


def test_a_suppressed_figure_is_not_told(marts: str) -> None:
    release_affected(marts, {A: 20}, batch_with_file(marts, "first.csv"))
    release_affected(marts, {A: None}, batch_with_file(marts, "second.csv"))
    found = explain.explain(marts, "M01-3", "330102", "2026-06", manifest=small_manifest())
    assert found.value_status == "suppressed"
    assert (found.value, found.numerator, found.denominator) == (None, None, None)
    assert [one["value"] for one in found.said_before] == [None]


@pytest.mark.parametrize(
    ("code", "area", "period", "part", "advice"),
    [
        ("M99-9", "330102", "2026-06", "total", "no indicator M99-9 is served"),
        ("M01-3", "339999", "2026-06", "total", "served for other areas"),
        ("M01-3", "330102", "2031", "total", "latest periods there are 2026-06"),
        ("M01-3", "330102", "2026-06", "sex", "one of total=total"),
    ],
)
def test_what_is_not_served_is_said_with_what_is(
    marts: str, code: str, area: str, period: str, part: str, advice: str
) -> None:
    release_affected(marts, {A: 20}, batch_with_file(marts, "first.csv"))
    with pytest.raises(ReleaseError, match=f"{code} in {area} and {period}") as told:
        explain.explain(marts, code, area, period, breakdown=part, manifest=small_manifest())
    assert advice in str(told.value)
