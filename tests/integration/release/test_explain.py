"""From a figure to the files behind it, and to why it changed."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.integration.release.small_marts import make_build_schema, new_batch, new_build, set_cells, small_manifest
from threegaps.errors import ReleaseError
from threegaps.marts.lock import held_by_builder
from threegaps.marts.manifest import Manifest
from threegaps.release import apply, explain, undo

pytestmark = pytest.mark.integration
A, B = ("M01-3", "330102"), ("M01-3", "330103")


@pytest.fixture
def marts(warehouse: str) -> str:
    make_build_schema(warehouse)
    with psycopg.connect(warehouse) as connection:
        connection.execute(
            "create table core.seed_indicator (indicator_code text, name_zh text, name_en text, unit_zh text,"
            " formula_zh text, formula_en text, unit_scale numeric, method text, time_basis text, direction text);"
            "insert into core.seed_indicator"
            " values ('M01-3', '培训人次', 'Trainings', '人次', '记录数', 'records', 1, 'count', 'flow', 'down');"
            "create table core.seed_method (method text, value_from text, name_zh text, name_en text);"
            "insert into core.seed_method values ('count', 'numerator', '计数', 'count');"
            "create table marts.dim_indicator (indicator_code text, caveat_zh text, caveat_en text,"
            " is_published_figure boolean);"
            "insert into marts.dim_indicator values ('M01-3', '注意', 'caveat', false);"
            "create table marts.dim_feed (feed text, name_zh text, name_en text, statutory_mark text, form_number text,"
            " form_agency_zh text, form_approval_number text, form_valid_until date, is_form_example boolean,"
            " is_form_expired boolean);"
            "insert into marts.dim_feed values ('a/b', '甲表', 'form a', 'statistical_form', '示例', '某厅', '示例',"
            " '2026-01-31', true, true);"
            "create table marts.dim_target (plan_version text, plan_issued_on date, is_plan_in_force boolean,"
            " indicator_code text, area_code text, period_type text, breakdown text, breakdown_value text,"
            " baseline_date date, baseline_value numeric, target_date date, target_value numeric, basis_zh text,"
            " basis_en text, source_document_zh text, source_document_en text, is_confirmed boolean);"
            "create table marts.dim_area (area_code text, name_zh text);"
            "insert into marts.dim_area values ('330102', '上城区'), ('330105', '拱墅区');"
            # as the view writes it
            "create view marts.indicator_named as select indicator_code, area_code, period_type, period_end, breakdown,"
            " breakdown_value, '约' || round(value) || '人次' as value_text, 'about ' || round(value) as value_text_en,"
            " '已报' as value_status_zh, 'reported' as value_status_en, '定稿' as maturity_zh, 'final' as maturity_en,"
            " '落后' as status_zh, 'behind' as status_en, '%' as change_unit_zh, 'per cent' as change_unit_en,"
            " '合计' as breakdown_zh, 'total' as breakdown_en, '合计' as breakdown_value_zh,"
            " 'total' as breakdown_value_en, '上城区' as area_name_zh, 'Shangcheng' as area_name_en,"
            " 'person-times' as unit_en, target_progress - due_progress as progress_gap from marts.indicator_value"
        )
    return warehouse


def batch_with_file(dsn: str, name: str, *, county: str = "330102", feed: str = "a/b") -> int:
    batch = new_batch(dsn, county=county, feed=feed)
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "with o as (insert into ops.landed_object (feed, delivery, part, arrival_number, source_name, uri,"
            " size_bytes, sha256) values (%s, '2026-06', %s, 1, %s, 'file:///x', 3, repeat('ab', 32))"
            " returning landed_object_id) insert into ops.batch_object select %s, landed_object_id from o",
            [feed, name, name, batch],
        )
    return batch


def refuse_rows(dsn: str, rows: list[tuple[str, int, str, int | None]]) -> None:
    """Rows of a/b in quarantine: token, batch, county, and the batch that closed them."""
    with psycopg.connect(dsn) as connection:
        connection.cursor().executemany(
            "insert into quarantine.refused_row (row_token, batch_id, feed, delivery, landed_object_id, row_number,"
            " county_code, row_data, reasons, closed_by_batch_id) select %s, %s, 'a/b', '2026-06',"
            " landed_object_id, 1, %s,"
            ' \'{}\', \'[{"rule": "x_required", "message_zh": "缺", "message_en": "missing"}]\', %s'
            " from ops.landed_object limit 1",
            rows,
        )


def manifest_of_two_feeds() -> Manifest:
    """`small_manifest`, whose M01-3 rests on the feed a/c too."""
    raw: dict[str, Any] = dict(small_manifest().raw)
    other = "source.threegaps.raw_a.a_c"
    name = "model.threegaps.ind_m01_3"
    indicator = raw["nodes"][name]
    reads = {**indicator["depends_on"], "nodes": [*indicator["depends_on"]["nodes"], other]}
    return Manifest(
        raw
        | {
            "nodes": raw["nodes"] | {name: indicator | {"depends_on": reads}},
            "sources": raw["sources"] | {other: {"config": {"meta": {"feed": "a/c"}}}},
        }
    )


def release_affected(
    dsn: str,
    values: dict[tuple[str, str], int | None],
    batch: int,
    *,
    target_value: int | None = None,
    manifest: Manifest | None = None,
) -> None:
    set_cells(dsn, values)
    with held_by_builder(dsn) as connection:
        connection.execute("update build.indicator_value set target_value = %s", [target_value])
        build_id = new_build(connection)
        connection.execute("update ops.build set kind = 'affected' where build_id = %s", [build_id])
        connection.execute("insert into ops.build_input values (%s, %s)", [build_id, batch])
        connection.execute(
            "insert into ops.build_touch select %s, touch_id from ops.touch where batch_id = %s", [build_id, batch]
        )
        apply.apply_build(connection, manifest or small_manifest(), build_id)


def test_a_figure_leads_to_its_files_and_to_why_it_changed(marts: str) -> None:
    first = batch_with_file(marts, "first.csv")
    release_affected(marts, {A: 20, B: 30}, first)
    elsewhere = batch_with_file(marts, "elsewhere.csv", county="330103")
    release_affected(marts, {A: 20, B: 31}, elsewhere)
    correction = batch_with_file(marts, "correction.csv")
    release_affected(marts, {A: 21, B: 31}, correction)
    later = batch_with_file(marts, "unused.csv")
    found = explain.explain(marts, "M01-3", "330102", "2026-06")
    assert (found.value, found.unit_zh, found.formula_zh, found.area_name_zh) == (21, "人次", "记录数", "上城区")
    assert (found.value_text, found.value_text_en, found.rounding) == ("约21人次", "about 21", "none")
    assert (found.release_id, found.value_release_id) == (3, 3)
    assert [(one["cause"], one["source"], one["batch_id"]) for one in found.why] == [("batch", "a/b", correction)]
    assert [(one["release_from"], one["release_to"], one["value"]) for one in found.said_before] == [(1, 3, 20)]
    assert [(one["source_name"], one["sha256"]) for one in found.files] == [
        ("correction.csv", "ab" * 32),
        ("first.csv", "ab" * 32),
    ]
    assert later not in {one["batch_id"] for one in found.files}


def test_refused_rows_that_may_have_counted_are_told_with_why(marts: str) -> None:
    """Of the batches behind the figure, open, of its county or of nobody knows which; and the form that expired."""
    batch = batch_with_file(marts, "first.csv")
    refuse_rows(
        marts,
        [
            ("here", batch, "330102", None),
            ("somewhere", batch, "unknown", None),
            ("elsewhere", batch, "330103", None),
            ("mended", batch, "330102", batch),
        ],
    )
    release_affected(marts, {A: 20, B: 30}, batch)
    found = explain.explain(marts, "M01-3", "330102", "2026-06")
    assert [(one["feed"], one["rule"], one["rows"], one["of_unknown_county"]) for one in found.refused] == [
        ("a/b", "x_required", 2, 1)
    ]
    assert (found.refused[0]["message_zh"], found.refused[0]["last_delivery"]) == ("缺", "2026-06")
    assert [(one["feed"], one["is_form_expired"]) for one in found.feeds] == [("a/b", True)]
    assert found.calculation_zh == "20 = 约20人次"
    assert (found.caveat_zh, found.data_are_en) == ("注意", "synthetic data")


def test_a_zero_is_known_from_the_whole_list(marts: str) -> None:
    """No row speaks of the county: that there is none in it says the list that was read."""
    batch = batch_with_file(marts, "elsewhere.csv", county="330103")
    release_affected(marts, {A: 0, B: 30}, batch)
    found = explain.explain(marts, "M01-3", "330102", "2026-06")
    assert (found.value, [one["source_name"] for one in found.files]) == (0, ["elsewhere.csv"])


def test_a_hidden_zero_leads_to_the_whole_list_and_to_what_was_refused(marts: str) -> None:
    """Every row of the county may have been refused: then none of the batch's touches speaks of it."""
    batch = batch_with_file(marts, "elsewhere.csv", county="330103")
    refuse_rows(marts, [("here", batch, "330102", None), ("elsewhere", batch, "330103", None)])
    release_affected(marts, {A: None, B: 30}, batch)
    found = explain.explain(marts, "M01-3", "330102", "2026-06")
    assert found.value is None
    assert [one["source_name"] for one in found.files] == ["elsewhere.csv"]
    assert [(one["feed"], one["rows"]) for one in found.refused] == [("a/b", 1)]


def test_each_feed_is_read_whole_or_of_the_area_alone(marts: str) -> None:
    """One list has nothing of the county, the other has: of the one all, of the other what speaks of the county."""
    release_affected(marts, {A: 0}, batch_with_file(marts, "list elsewhere.csv", county="330103"))
    release_affected(marts, {A: 0}, batch_with_file(marts, "form elsewhere.csv", county="330103", feed="a/c"))
    release_affected(marts, {A: 1}, batch_with_file(marts, "form.csv", feed="a/c"), manifest=manifest_of_two_feeds())
    found = explain.explain(marts, "M01-3", "330102", "2026-06")
    assert [one["source_name"] for one in found.files] == ["list elsewhere.csv", "form.csv"]


@pytest.mark.parametrize(("time_basis", "day"), [("flow", "2025-12-31"), ("stock", "2024-12-31")])
def test_the_target_is_the_one_that_the_build_chose(marts: str, time_basis: str, day: str) -> None:
    """All state one number: the next day that is not past counts, the later plan's; for what flows, its own time's.

    What a stock is still to reach begins before this year, and the last day of another is nearer but past.
    """
    with psycopg.connect(marts) as connection:
        connection.execute("update core.seed_indicator set time_basis = %s", [time_basis])
        connection.cursor().executemany(
            "insert into marts.dim_target (plan_version, plan_issued_on, indicator_code, area_code, period_type,"
            " breakdown, breakdown_value, baseline_date, target_date, target_value)"
            " values (%s, %s, 'M01-3', '330102', 'month', 'total', 'total', %s, %s, 40)",
            [
                ("draft", "2025-05-27", day, "2026-12-31"),
                ("final", "2025-07-15", day, "2026-12-31"),
                ("amended", "2025-09-01", "2024-12-31", "2025-12-31"),
                ("of next year", "2025-10-01", "2026-12-31", "2027-12-31"),
            ],
        )
    release_affected(marts, {A: 20}, batch_with_file(marts, "first.csv"), target_value=40)
    found = explain.explain(marts, "M01-3", "330102", "2026-06")
    assert found.target is not None
    assert (found.target["plan_version"], found.target["target_value"]) == ("final", 40)
    assert [one["plan_version"] for one in found.other_targets] == ["amended", "draft", "of next year"]


def test_what_speaks_of_the_figures_own_days_comes_first_then_the_newest(marts: str) -> None:
    """A figure that looks back at all that came before rests on many batches: those of its own month are the reason."""
    own, old, newer = (batch_with_file(marts, name) for name in ("own.csv", "old.csv", "newer.csv"))
    refuse_rows(marts, [("own", own, "330102", None), ("old", old, "330102", None)])
    for value, batch in enumerate((own, old, newer), 20):
        release_affected(marts, {A: value}, batch)
    with psycopg.connect(marts) as connection:
        connection.execute("update ops.indicator_input set last_month = null where name = 'a/b'")
        connection.execute(
            "update ops.touch set period_from = '2025-01-01', period_to = '2025-01-31' where batch_id <> %s", [own]
        )
    found = explain.explain(marts, "M01-3", "330102", "2026-06")
    assert [(one["source_name"], one["is_of_own_period"]) for one in found.files] == [
        ("own.csv", True), ("newer.csv", False), ("old.csv", False),
    ]  # fmt: skip
    assert [(one["rows"], one["of_own_period"]) for one in found.refused] == [(2, 1)]
    assert [(one["batch_id"], one["is_of_own_period"]) for one in found.why] == [(newer, False)]


def test_the_newest_is_had_without_its_label_and_a_code_in_any_letters(marts: str) -> None:
    release_affected(marts, {A: 20}, batch_with_file(marts, "first.csv"))
    found = explain.explain(marts, "m01-3", "330102", "latest")
    assert (found.indicator_code, found.period_label, found.value) == ("M01-3", "2026-06", 20)


def test_after_an_undo_the_note_says_why(marts: str) -> None:
    release_affected(marts, {A: 20}, batch_with_file(marts, "first.csv"))
    release_affected(marts, {A: 90}, batch_with_file(marts, "wrong.csv"))
    undo.undo(marts, note="wrong unit", manifest=small_manifest())
    found = explain.explain(marts, "M01-3", "330102", "2026-06")
    assert found.value == 20
    assert found.why == [{"cause": "undo", "source": "release 2", "note": "wrong unit"}]


def test_a_suppressed_figure_is_not_told(marts: str) -> None:
    release_affected(marts, {A: 20}, batch_with_file(marts, "first.csv"))
    release_affected(marts, {A: None}, batch_with_file(marts, "second.csv"))
    found = explain.explain(marts, "M01-3", "330102", "2026-06")
    assert found.value_status == "suppressed"
    assert (found.value, found.numerator, found.denominator) == (None, None, None)
    assert [one["value"] for one in found.said_before] == [None]


@pytest.mark.parametrize(
    ("code", "area", "period", "part", "advice"),
    [
        ("M99-9", "330102", "2026-06", "total", "no indicator M99-9 is served"),
        ("M01-3", "339999", "2026-06", "total", "served for other areas"),
        ("M01-3", "330103", "latest", "total", "it became 330105 拱墅区"),
        ("M01-3", "330102", "latest", "sex", "one of total=total"),
        ("M01-3", "330102", "2031", "total", "latest periods there are 2026-06"),
        ("M01-3", "330102", "2026-06", "sex", "one of total=total"),
    ],
)
def test_what_is_not_served_is_said_with_what_is(
    marts: str, code: str, area: str, period: str, part: str, advice: str
) -> None:
    release_affected(marts, {A: 20}, batch_with_file(marts, "first.csv"))
    with pytest.raises(ReleaseError, match=f"{code} in {area} and {period}") as told:
        explain.explain(marts, code, area, period, breakdown=part)
    assert advice in str(told.value)
