"""What two releases say differently: counted like the releases count, by indicator, with the causes that reach it."""

from __future__ import annotations

import json
from decimal import Decimal

import psycopg
import pytest

from tests.integration.release.small_marts import A, B, P, new_batch, release, rows, small_manifest
from threegaps.cli import difference, output, queries, releases
from threegaps.errors import ReleaseError
from threegaps.marts.lock import held_by_builder
from threegaps.release import apply, history, named_things, undo
from threegaps.release.history import Cause, Comparison
from threegaps.release.wording import cause_text
from threegaps.settings import Settings

pytestmark = pytest.mark.integration

OTHER = ("M01-5", "330102")
NAMES = {"330102": ("上城区", "Shangcheng District"), "M01-3": ("培训人次", "Trainings")}


@pytest.fixture
def told(marts: str) -> tuple[str, int, int]:
    """Two releases, the second with a batch that reaches M01-3 in June, and the numbers of its batches."""
    release(marts, {A: 20, B: 30, P: 50, OTHER: 7}, batches=[new_batch(marts)])
    batch, elsewhere = new_batch(marts, county="330102"), new_batch(marts, county="330102", feed="c/d")
    release(marts, {A: 99, B: 30, P: 129, OTHER: 7}, batches=[batch, elsewhere])
    with psycopg.connect(marts) as connection:
        connection.execute("insert into ops.build_touch select 2, touch_id from ops.touch where batch_id > 1")
        connection.execute("update ops.build set kind = 'affected' where build_id = 2")
    return marts, batch, elsewhere


def counted(dsn: str, number: int) -> int:
    query = "select cells_inserted + cells_changed + cells_removed from ops.release where release_id = %s"
    return int(rows(dsn, query, number)[0][0])


def found(comparison: Comparison) -> int:
    assert comparison.without_past is not None, "of one release to the next it can be told"
    return comparison.without_past + sum(one.new + one.changed + one.gone for one in comparison.relations)


def test_figures_are_summed_up_by_indicator_with_the_batch_that_reaches_them(told: tuple[str, int, int]) -> None:
    dsn, batch, _ = told
    (one,) = history.compare(dsn, 1, 2).indicators
    assert (one.indicator_code, one.figures, one.new, one.gone, one.value_changed) == ("M01-3", 2, 0, 0, 2)
    assert one.largest is not None
    assert [one.largest.value_before, one.largest.value_after] in ([20, 99], [50, 129])
    assert one.causes == (Cause(2, "batch", "a/b", (batch,)),), "another feed's batch reaches it not"
    assert one.largest.changed == ["numerator", "value"]


def test_what_reaches_other_days_or_another_county_is_no_cause(told: tuple[str, int, int]) -> None:
    dsn, batch, _ = told
    for change in ("period_from = '2025-01-01', period_to = '2025-01-31'", "county_code = '330103'"):
        with psycopg.connect(dsn) as connection:
            connection.execute(f"update ops.touch set {change} where batch_id = %s".encode(), [batch])
        (one,) = history.compare(dsn, 1, 2, areas=["330102"]).indicators
        assert one.causes == ()


def test_models_seeds_days_full_builds_and_accepted_rules_are_causes(told: tuple[str, int, int]) -> None:
    dsn, batch, _ = told
    with psycopg.connect(dsn) as connection:
        for cause, model in (("model", "ind_m01_3"), ("model", "ind_m01_5"), ("as_of", None)):
            connection.execute(
                "with touch as (insert into ops.touch (cause, model, county_code, period_from, period_to)"
                " values (%s, %s, '*', '-infinity', 'infinity') returning touch_id)"
                " insert into ops.build_touch select 2, touch_id from touch",
                [cause, model],
            )
        connection.execute("update ops.build set kind = 'full' where build_id = 2")
    (one,) = history.compare(dsn, 1, 2).indicators
    assert [(cause.cause, cause.source) for cause in one.causes] == [
        ("as_of", None),
        ("batch", "a/b"),
        ("model", "ind_m01_3"),
        ("full build", None),
    ]
    assert [cause_text(cause) for cause in one.causes] == [
        "days passed",
        f"a/b: batches {batch}",
        "model ind_m01_3 changed",
        "full build",
    ]


def test_list_and_difference_count_the_same(told: tuple[str, int, int]) -> None:
    """Whatever a release changed: figures, another relation alone, what is new, gone, hidden or undone."""
    dsn, _, _ = told
    release(dsn, {A: 99, B: 30, OTHER: 8})
    release(dsn, {A: None, B: 30, P: 129, OTHER: 8})
    undo.undo(dsn, note="back", manifest=small_manifest())
    undo.undo(dsn, note="further", manifest=small_manifest())
    release(dsn, {A: 1, B: 2, P: 3}, maturity="provisional")
    numbers = [number for (number,) in rows(dsn, "select release_id from ops.release order by 1")]
    for number in numbers[1:]:
        assert found(history.compare(dsn, number - 1, number)) == counted(dsn, number), number
    with psycopg.connect(dsn, row_factory=psycopg.rows.dict_row) as connection:
        listed = connection.execute(queries.FIGURES_OF_RELEASES.encode(), {"releases": numbers}).fetchall()
    for row in listed:
        if row["release_id"] == 1:
            continue
        relations = history.compare(dsn, row["release_id"] - 1, row["release_id"]).relations
        figures = next((one for one in relations if one.relation == history.FIGURES), None)
        assert figures is None or row["figures_changed"] >= figures.changed
        assert row["figures_new"] == (figures.new if figures else 0)


def test_a_release_that_changes_no_figure_says_what_else_it_changed(
    told: tuple[str, int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    dsn, _, _ = told
    with psycopg.connect(dsn) as connection:
        connection.execute("update build.action_1_bright_future set m01_3 = m01_3 + 1")
    with held_by_builder(dsn) as connection:
        row = connection.execute(
            "insert into ops.build (status, kind, as_of) values ('built', 'full', '2026-06-30') returning build_id"
        ).fetchone()
        assert row is not None
        apply.apply_build(connection, small_manifest(), row[0])
    comparison = history.compare(dsn, 2, 3)
    assert comparison.figures == ()
    assert [(one.relation, one.changed) for one in comparison.relations] == [("action_1_bright_future", 3)]
    assert counted(dsn, 3) == 3
    difference.difference_page(comparison, areas={}, indicators={}, limit=5, asked="")
    said = " ".join(capsys.readouterr().out.split())
    assert "No figure differs between release 2 and release 3." in said
    assert "action_1_bright_future 0 3 0" in said


def test_what_differs_besides_the_value_is_named(
    told: tuple[str, int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    dsn, _, _ = told
    release(dsn, {A: 99, B: 30, P: 129, OTHER: 7}, maturity="provisional")
    comparison = history.compare(dsn, 2, 3, areas=["330102"], indicators=["M01-3"])
    assert [(one.changed, one.kind) for one in comparison.figures] == [(["maturity"], "changed")]
    assert [(one.value_changed, one.otherwise, one.largest) for one in comparison.indicators] == [(0, 1, None)]
    difference.difference_page(comparison, areas=NAMES, indicators=NAMES, limit=5, asked="M01-3 330102")
    assert "maturity" in capsys.readouterr().out


def test_two_releases_may_be_named_in_either_order(told: tuple[str, int, int]) -> None:
    dsn, _, _ = told
    there, back = history.difference(dsn, 1, 2), history.difference(dsn, 2, 1)
    assert [(one.value_before, one.value_after) for one in there] == [
        (one.value_after, one.value_before) for one in back
    ]
    assert history.difference(dsn, 2, 2) == []
    for wrong in ((9, 1), (1, 9)):
        with pytest.raises(ReleaseError, match="There is no release 9"):
            history.compare(dsn, *wrong)


def test_the_page_names_areas_says_how_many_and_what_was_asked(
    told: tuple[str, int, int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn, batch, _ = told
    monkeypatch.setattr(output.console, "width", 200)
    difference.difference_page(history.compare(dsn, 1), areas=NAMES, indicators=NAMES, limit=1, asked="")
    said = " ".join(capsys.readouterr().out.split())
    assert "Between release 1 and release 2 differ: figures 2, of indicators 1." in said
    assert "M01-3 培训人次 · Trainings" in said
    assert f"a/b: batches {batch}" in said
    assert "1 of 2 are shown: `--limit 2` shows all." in said
    nothing = history.compare(dsn, 1, 2, indicators=["M01-5"])
    difference.difference_page(nothing, areas=NAMES, indicators=NAMES, limit=1, asked="M01-5")
    assert "Release 1 and release 2 say the same of M01-5." in capsys.readouterr().out


@pytest.fixture
def named(marts: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The small marts with names of places and indicators."""
    with psycopg.connect(marts) as connection:
        connection.execute(
            "create table marts.dim_area (area_code text, area_level text, name_zh text, name_en text,"
            " parent_code text, valid_from date, valid_to date, sort_order integer);"
            "insert into marts.dim_area (area_code, area_level, name_zh, name_en, sort_order) values"
            " ('330000', 'province', '浙江省', 'Zhejiang Province', 0),"
            " ('330100', 'city', '杭州市', 'Hangzhou City', 100), ('330199', 'other', '杭州市本级', 'Own level', 199),"
            " ('330102', 'county', '上城区', 'Shangcheng District', 102),"
            " ('330110', 'county', '余杭区', 'Yuhang District', 110),"
            " ('330302', 'county', '鹿城区', 'Lucheng District', 302);"
            "create table marts.dim_indicator (indicator_code text, action_code text, measure integer, name_zh text,"
            " name_en text, unit_zh text, method text, formula_zh text, formula_en text, source_clause text,"
            " audience text);"
            "insert into marts.dim_indicator (indicator_code, name_zh, name_en) values"
            " ('M01-3', '补贴性培训人次', 'Subsidised trainings'), ('M01-5', '培训投诉', 'Complaints on trainings')"
        )
    monkeypatch.setattr(Settings, "warehouse_dsn", lambda self: marts)
    return marts


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("330110", "330110"),
        ("余杭区", "330110"),
        ("余杭", "330110"),
        ("yuhang", "330110"),
        ("Yuhang  District", "330110"),
        ("杭州", "330100"),
        ("hangzhou", "330100"),
        ("浙江", "330000"),
        ("330103", "330103"),
    ],
)
def test_an_area_is_found_by_what_people_call_it(text: str, code: str, named: str) -> None:
    with psycopg.connect(named, row_factory=psycopg.rows.dict_row) as connection:
        assert named_things.area_named(connection, text) == code


@pytest.mark.parametrize("text", ["城", "district", "3303"])
def test_what_may_be_several_lists_them(text: str, named: str) -> None:
    with psycopg.connect(named, row_factory=psycopg.rows.dict_row) as connection:
        candidates = [row["area_code"] for row in named_things.areas(connection, text)]
        if len(candidates) == 1:
            assert named_things.area_named(connection, text) == candidates[0]
            return
        with pytest.raises(ReleaseError, match="may be any of") as refused:
            named_things.area_named(connection, text)
    assert all(code in str(refused.value) for code in candidates)


def test_an_indicator_is_found_by_part_of_its_name(named: str) -> None:
    with psycopg.connect(named, row_factory=psycopg.rows.dict_row) as connection:
        assert named_things.indicator_named(connection, "m01-3") == "M01-3"
        assert named_things.indicator_named(connection, "人次") == "M01-3"
        assert named_things.indicator_named(connection, "complaints trainings") == "M01-5"
        for text, message in (
            ("培训", "may be any of 2"),
            ("工资", "There is no indicator '工资'"),
            ("\udcff", "no indicator"),
        ):
            with pytest.raises(ReleaseError, match=message):
                named_things.indicator_named(connection, text)


def test_the_command_takes_names_and_answers_machines_whole(named: str, capsys: pytest.CaptureFixture[str]) -> None:
    release(named, {A: 20, B: 30, P: 50})
    release(named, {A: 99, B: 30, P: 129})
    releases.diff_releases(1, 2, indicator="人次", area="上城", limit=1, json_=True)
    document = json.loads(capsys.readouterr().out)
    (figure,) = document["figures"]
    assert (figure["area_name_zh"], figure["value_before"], figure["value_after"]) == ("上城区", 20, 99)
    assert Decimal(document["indicators"][0]["largest"]["value_after"]) == 99
    assert document["indicators"][0]["causes"] == [
        {"release_id": 2, "cause": "full build", "source": None, "batches": [], "rules": [], "note": None}
    ]
    releases.diff_releases(1, 2, indicator=None, area="余杭", limit=1)
    assert "say the same of 330110" in capsys.readouterr().out
    releases.list_releases(limit=1)
    said = capsys.readouterr().out
    assert "1 of 2 are shown: `--limit 2` shows all." in said
    assert "figures changed" in " ".join(said.split())
    releases.areas("城")
    assert "上城区" in capsys.readouterr().out
    releases.areas("nowhere")
    assert "No area has 'nowhere' in its code or name" in capsys.readouterr().out
