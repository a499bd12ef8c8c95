"""The page of releases: what serves, what changed and why, what is held, what waits, and how the last build went."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest

from tests.integration.duty.conftest import Desk
from tests.integration.release.small_marts import A, B, P, make_build_schema, new_batch, release, small_manifest
from threegaps.duty.comparing import Comparisons
from threegaps.errors import ReleaseError
from threegaps.release import history, undo

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("desk")]


def names(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "create table marts.dim_indicator (indicator_code text, name_zh text, name_en text);"
            "grant select on marts.dim_indicator to bi_reader;"
            "insert into marts.dim_indicator values ('M01-3', '培训人次', 'Trainings')"
        )


@pytest.fixture
def released(desk: Desk) -> Desk:
    """Two releases, the second with a batch that reaches M01-3 in June."""
    make_build_schema(desk.dsn)
    names(desk.dsn)
    release(desk.dsn, {A: 20, B: 30, P: 50}, batches=[new_batch(desk.dsn)])
    batch = new_batch(desk.dsn, county="330102")
    release(desk.dsn, {A: 99, B: 30, P: 129}, batches=[batch])
    desk.enter("insert into ops.build_touch select 2, touch_id from ops.touch where batch_id = %s", batch)
    desk.enter("update ops.build set kind = 'affected'")
    return desk


def page(desk: Desk, path: str = "/duty/release", language: str = "zh") -> str:
    """The page once it has what it compares."""
    browser = desk.browser("reader", Cookie=f"threegaps_language={language}")
    for _ in range(100):
        answer = browser.get(path)
        assert answer.status_code == 200
        if "Refresh" not in answer.headers:
            return answer.text
        time.sleep(0.2)
    raise AssertionError("the releases are compared for ever")


def test_before_the_first_release_there_is_nothing_to_compare(desk: Desk) -> None:
    said = page(desk)
    assert "尚无发布" in said
    assert "data-indicator" not in said


def test_the_first_release_has_none_before_it(desk: Desk) -> None:
    make_build_schema(desk.dsn)
    release(desk.dsn, {A: 20}, batches=[])
    assert "没有可比的" in page(desk)


def test_what_changed_is_said_by_indicator_with_its_cause_in_both_languages(released: Desk) -> None:
    zh, en = page(released), page(released, language="en")
    assert 'data-serving="2"' in zh
    assert zh.count("data-indicator=") == 1
    for said, words in ((zh, ("数值变动 2", "批次 2")), (en, ("value changed 2", "batches 2"))):
        assert "培训人次" in said
        assert "Trainings" in said
        assert all(word in said for word in words)
        assert "→ <b>129</b>" in said or "→ <b>99</b>" in said
    assert 'href="/duty/feeds/a/b/2026-06"' in zh, "the delivery that changed it"


def test_a_group_is_called_by_its_name(released: Desk) -> None:
    columns = "breakdown text, breakdown_name_zh text, breakdown_name_en text, breakdown_value text"
    released.enter(f"create table marts.dim_breakdown ({columns}, name_zh text, name_en text)")
    released.enter("grant select on marts.dim_breakdown to bi_reader")
    released.enter("insert into marts.dim_breakdown values ('tier', '等级', 'tier', '03', '高级工', 'advanced')")
    with psycopg.connect(released.dsn) as connection:
        relations = [
            row[0]
            for row in connection.execute(
                "select c.oid::regclass::text from pg_class as c join pg_attribute as a on a.attrelid = c.oid"
                " where a.attname = 'breakdown_value' and c.relkind = 'r'"
                " and c.relname <> 'dim_breakdown'"
            )
        ]
        for relation in relations:
            connection.execute(f"update {relation} set breakdown = 'tier', breakdown_value = '03'".encode())
    said = page(released, language="zh")
    assert '<span title="tier=03">等级: 高级工</span>' in said
    assert "tier: advanced" in page(released, language="en")


def test_an_earlier_release_may_be_asked_for_and_none_that_there_is_not(released: Desk) -> None:
    release(released.dsn, {A: 99, B: 30, P: 129}, batches=[])
    assert "没有任何数值不同" in page(released)
    assert "data-indicator" in page(released, "/duty/release?release=2")
    assert "没有可比的" in page(released, "/duty/release?release=1")
    for number in ("9", "0", "99999999999"):
        assert released.browser("reader").get(f"/duty/release?release={number}").status_code == 404


def test_what_is_held_and_what_waits_is_said(released: Desk) -> None:
    undo.undo(released.dsn, note="<b>wrong</b>", manifest=small_manifest())
    new_batch(released.dsn)
    said = page(released)
    assert 'data-held="batch 2"' in said
    assert "&lt;b&gt;wrong&lt;/b&gt;" in said
    assert said.count("data-waiting=") == 1
    assert 'data-release="3"' in said


@pytest.mark.parametrize(("failure", "status"), [("build", "failed"), ("check", "held")])
def test_why_the_last_build_failed_is_said_with_what_to_do(desk: Desk, failure: str, status: str) -> None:
    desk.enter(
        "insert into ops.build (status, kind, as_of, finished_at, message, failure) values ('failed', 'full',"
        " current_date, now(), '1 models or tests failed: int_wages', %s)",
        failure,
    )
    said = page(desk)
    assert f'data-build="{status}"' in said
    assert "int_wages" in said
    assert "/duty/runbook#" in said


def test_a_page_does_not_wait_for_a_comparison_that_takes_long(released: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    compare = history.compare

    def slow(*asked: Any) -> Any:
        time.sleep(2)
        return compare(*asked)

    monkeypatch.setattr(history, "compare", slow)
    answer = released.browser("reader").get("/duty/release")
    assert answer.headers["Refresh"] == "3"
    assert "正在比较" in answer.text
    assert "data-indicator" in page(released)


def test_a_comparison_is_made_once_and_one_that_failed_again(released: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Any, ...]] = []
    compare = history.compare

    def counted(*asked: Any) -> Any:
        made.append(asked)
        return compare(*asked)

    monkeypatch.setattr(history, "compare", counted)
    comparisons = Comparisons(lambda: released.dsn)
    found = [comparisons.ask(1, 2, state=1, wait_seconds=60) for _ in range(3)]
    assert found[0] is not None
    assert (len(made), found[0].figures, found[0].indicators[0].figures) == (1, (), 2)
    for _ in range(2):
        with pytest.raises(ReleaseError):
            comparisons.ask(1, 7, state=1, wait_seconds=60)
    assert len(made) == 3


def test_what_a_later_release_takes_out_of_the_past_is_not_said_any_more(released: Desk) -> None:
    before = page(released, "/duty/release?release=2")
    assert "→ <b>129</b>" in before or "→ <b>99</b>" in before
    release(released.dsn, {A: None, B: 30, P: None}, batches=[])
    again = page(released, "/duty/release?release=2")
    assert "<b>129</b>" not in again
    assert "<b>99</b>" not in again


def test_another_warehouse_is_compared_anew(released: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Any, ...]] = []
    compare = history.compare
    monkeypatch.setattr(history, "compare", lambda *asked: made.append(asked) or compare(*asked))
    comparisons = Comparisons(lambda: released.dsn)
    for state in ("one", "other", "other"):
        assert comparisons.ask(1, 2, state=state, wait_seconds=60)
    assert len(made) == 2


def test_what_is_asked_for_while_much_waits_is_taken_later_and_a_pair_once(monkeypatch: pytest.MonkeyPatch) -> None:
    may_go = threading.Event()
    made: list[int] = []

    def compare(_: str, first: int, second: int) -> history.Comparison:
        may_go.wait(60)
        made.append(second)
        return history.Comparison(first, second, (), (), ())

    monkeypatch.setattr(history, "compare", compare)
    comparisons = Comparisons(lambda: "dbname=none")

    def ask(second: int, state: str = "old", wait_seconds: float = 0) -> history.Comparison | None:
        return comparisons.ask(1, second, state=state, wait_seconds=wait_seconds)

    for _ in range(2):
        assert [ask(second) for second in range(2, 40)] == [None] * 38
    # What waits for a state that is over is not worked out; what is being worked out then may end.
    assert ask(99, state="new") is None
    may_go.set()
    assert ask(99, state="new", wait_seconds=60)
    assert made == [2, 99]
    for second in range(100, 120):
        assert ask(second, state="new", wait_seconds=60)
    assert made == [2, 99, *range(100, 120)]
    assert ask(119, state="new", wait_seconds=60)
    assert len(made) == 22


def test_a_comparison_that_fails_is_said_on_the_page(released: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise psycopg.errors.QueryCanceled("canceling statement due to statement timeout")

    monkeypatch.setattr(history, "compare", fail)
    assert "比较没有完成" in page(released)
