"""What became of figures after they were said: revisions, changes while provisional, and their rates."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.integration.release.small_marts import make_build_schema, release, small_manifest
from threegaps.release import settling, undo

pytestmark = pytest.mark.integration
A, B, C, D = (("M01-3", f"33010{number}") for number in range(2, 6))


@pytest.fixture
def marts(warehouse: str) -> str:
    make_build_schema(warehouse)
    return warehouse


def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_change_of_a_final_figure_is_a_revision_and_one_before_is_none(marts: str) -> None:
    release(marts, {A: 10, B: 40, C: 50}, maturity="provisional")
    release(marts, {A: 20, B: 40, C: 50}, maturity="provisional")
    release(marts, {A: 20, B: 40, C: 50})
    release(marts, {A: 25, B: 40, C: 50})
    release(marts, {A: 24, B: 40, C: 50})
    assert rows(
        marts,
        "select area_code, first_value::int, first_final_value::int, value_now::int, revision::int, revision_percent,"
        " revisions, provisional_changes, days_until_last >= 0, last_revised_at > first_final_at"
        " from marts.indicator_revision",
    ) == [("330102", 10, 20, 24, 4, 20, 2, 1, True, True)]
    assert rows(marts, "select area_code, is_revised from marts.indicator_value order by 1") == [
        ("330102", True),
        ("330103", False),
        ("330104", False),
    ]


def test_what_is_suppressed_is_no_revision_and_leaves_no_figure(marts: str) -> None:
    release(marts, {A: 20, B: 30, C: 40})
    release(marts, {A: None, B: 30, C: 40})
    release(marts, {A: 22, B: 33, C: 40})
    assert rows(marts, "select area_code, first_value::int, value_now::int from marts.indicator_revision") == [
        ("330103", 30, 33)
    ]
    assert rows(marts, "select area_code from marts.indicator_value where is_revised") == [("330103",)]


def test_what_is_shown_in_tens_from_now_on_is_no_revision(marts: str) -> None:
    release(marts, {A: 1234, B: 40})
    release(marts, {A: 1235, B: 40}, rounding="tens")
    assert rows(marts, "select * from marts.indicator_revision") == []
    assert rows(marts, "select area_code from marts.indicator_value where is_revised") == []
    assert rows(marts, "select rounding, value::int from marts.indicator_value order by 2") == [
        ("tens", 40),
        ("tens", 1235),
    ]
    release(marts, {A: 1245, B: 40}, rounding="tens")
    assert rows(marts, "select area_code, revisions from marts.indicator_revision") == [("330102", 1)]


def test_a_figure_that_is_no_longer_said_counts_as_no_revision_by_itself(marts: str) -> None:
    release(marts, {A: 20, B: 30})
    release(marts, {A: 21, B: 30})
    release(marts, {B: 30})
    assert rows(marts, "select area_code, value_now, revisions from marts.indicator_revision") == [("330102", None, 1)]


def test_rates_are_worked_out_over_all_final_figures(marts: str) -> None:
    """First finals P are 20, 40, 100, 50; latest L are 25, 38, 100, 50; so L − P is 5, −2, 0, 0.

    Mean revision 3 / 4, mean absolute 7 / 4, relative mean absolute 7 / 210 = 3.3333 %; two of four were revised.
    """
    release(marts, {A: 10, B: 40, C: 100, D: 50}, maturity="provisional")
    release(marts, {A: 20, B: 40, C: 100, D: 50})
    release(marts, {A: 25, B: 38, C: 100, D: 50})
    (rate,) = rows(
        marts,
        "select indicator_code, area_level, period_type, figures, revised, revised_percent, mean_revision,"
        " mean_absolute_revision, relative_mean_absolute_revision::text from marts.indicator_revision_rate",
    )
    assert rate == ("M01-3", "county", "month", 4, 2, 50, 0.75, 1.75, "3.3333")


def test_rates_leave_out_what_is_shown_in_tens(marts: str) -> None:
    """19 that becomes 20 is read as 15 and 25: two thirds more, by one person."""
    release(marts, {A: 15, B: 40}, rounding="tens")
    release(marts, {A: 25, B: 40}, rounding="tens")
    assert rows(marts, "select * from marts.indicator_revision_rate") == []
    assert rows(marts, "select area_code, revisions from marts.indicator_revision") == [("330102", 1)]


def test_what_was_undone_is_no_revision_and_neither_is_the_way_back(marts: str) -> None:
    release(marts, {A: 20, B: 30})
    release(marts, {A: 20, B: 31})
    release(marts, {A: 25, B: 32, C: 40})
    undo.undo(marts, note="wrong file", manifest=small_manifest())
    revised = "select area_code, first_final_value::int, value_now::int, revisions from marts.indicator_revision"
    assert rows(marts, revised) == [("330103", 30, 31, 1)]
    flags = "select area_code, value::int, is_revised from marts.indicator_value order by 1"
    assert rows(marts, flags) == [("330102", 20, False), ("330103", 31, True)]
    # further back: what the second release said is undone too
    undo.undo(marts, note="that one as well", manifest=small_manifest())
    assert rows(marts, revised) == []
    assert rows(marts, flags) == [("330102", 20, False), ("330103", 30, False)]
    release(marts, {A: 21, B: 30})
    assert rows(marts, revised) == [("330102", 20, 21, 1)]


def test_a_lag_that_was_too_short_is_found_by_what_came_after(marts: str) -> None:
    """1000 became 1004, 0.4 %, which is settled; then 1006, 0.6 %, which was not."""
    province = ("M01-3", "330000")

    def found() -> list[settling.Unsettled]:
        with psycopg.connect(marts) as connection:
            return settling.unsettled(connection, fewest_figures=1)

    assert found() == []
    release(marts, {province: 900}, maturity="provisional")
    release(marts, {province: 1000})
    release(marts, {province: 1004})
    assert found() == []
    release(marts, {province: 1006})
    assert found() == [("M01-3", "month", 1, 0.6)]
    with psycopg.connect(marts) as connection:
        assert settling.unsettled(connection) == [], "one figure is no rate"
