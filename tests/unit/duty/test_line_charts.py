"""Charts of a feed: what is usual, what is out of it, and the picture of both."""

from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace

import pytest

from threegaps.duty.charts import LARGE, SMALL, Point, line_chart, sparkline
from threegaps.duty.reading.past import Delivered, Measured, comparable, shares, volumes

_SVG = "{http://www.w3.org/2000/svg}"


def months(*rows: int, refused: Sequence[int] = (), stopped: Sequence[int] = ()) -> list[Delivered]:
    """A month each from January 2024; *stopped* are the places of those that a rule has stopped."""
    return [
        Delivered(
            f"2024-{index + 1:02}",
            dt.date(2024, index + 1, 1),
            dt.date(2024, index + 1, 28),
            received=count,
            refused=refused[index] if refused else 0,
            is_loaded=index not in stopped,
        )
        for index, count in enumerate(rows)
    ]


def days(*rows: int) -> list[Delivered]:
    """A day each from Monday, 1 January 2024."""
    start = dt.date(2024, 1, 1)
    keys = [start + dt.timedelta(days=index) for index in range(len(rows))]
    return [Delivered(str(day), day, day, count, 0, is_loaded=True) for day, count in zip(keys, rows, strict=True)]


def measured(delivered: Sequence[Delivered], kind: str = "full_list", cadence: str = "month") -> tuple[Measured, ...]:
    return volumes(delivered, comparable(delivered, cadence, kind=kind), kind=kind)


def out(found: Sequence[Measured]) -> list[str]:
    return [one.delivered.delivery for one in found if one.is_out]


def test_what_is_usual_is_a_fifth_about_the_median_of_six_before() -> None:
    found = measured(months(1, 100, 100, 100, 100, 100, 100, 100))
    assert [(one.low, one.high) for one in found][-1] == (90, 120), "of a list a tenth less shrinks"
    assert [one.low for one in found[:3]] == [None, None, None], "two say nothing of what is usual"


def test_what_varies_more_has_a_wider_range() -> None:
    found = measured(months(100, 60, 140, 90, 110, 70, 100), kind="changes")
    low, high = found[-1].low, found[-1].high
    assert low is not None
    assert low < 50
    assert high is not None
    assert high > 130


@pytest.mark.parametrize(("last", "is_out"), [(79, True), (80, False), (120, False), (121, True)])
def test_what_lies_outside_is_marked(last: int, *, is_out: bool) -> None:
    assert out(measured(months(100, 100, 100, 100, last), kind="changes")) == (["2024-05"] if is_out else [])


def test_one_that_was_far_off_does_not_make_the_next_ones_unusual() -> None:
    assert out(measured(months(100, 100, 100, 900, 100, 100, 100), kind="changes")) == ["2024-04"]


def test_what_the_watch_calls_shrinking_is_out_before_the_usual_is_known_but_not_of_changes() -> None:
    assert out(measured(months(100, 79))) == ["2024-02"]
    assert out(measured(months(100, 79), kind="changes")) == []
    assert out(measured(months(19, 1))) == [], "in so short a list a row says nothing"


def test_in_short_lists_nothing_is_out() -> None:
    assert out(measured(months(5, 5, 5, 5, 19))) == []
    assert out(measured(months(5, 5, 5, 5, 20))) == ["2024-05"]


def test_what_was_stopped_says_nothing_of_what_is_usual() -> None:
    found = measured(months(100, 100, 5, 100, 100, stopped=[2]))
    assert out(found) == ["2024-03"]
    assert (found[-1].low, found[-1].high) == (90, 120)


def test_what_is_marked_lies_outside_of_what_is_drawn_as_usual() -> None:
    *_, marked = found = measured(months(1000, 1000, 1000, 1100, 985))
    assert out(found) == ["2024-05"], "a list that lacks a tenth shrinks"
    assert marked.low == 990
    *_, usual = found = measured(months(1000, 1000, 1000, 1100, 985), kind="full_period")
    assert (out(found), usual.low) == ([], 880)


def test_days_are_compared_with_the_same_day_of_the_week() -> None:
    week = [100, 100, 100, 100, 100, 0, 0]
    assert out(measured(days(*week * 5), "changes", "day")) == []
    assert out(measured(days(*week * 4, 0), "changes", "day")) == ["2024-01-29"]


def test_a_month_is_never_compared_with_a_quarter() -> None:
    quarters = [
        Delivered(f"2023Q{n}", dt.date(2023, 3 * n - 2, 1), dt.date(2023, 3 * n, 28), 300, 0, is_loaded=True)
        for n in (1, 2, 3, 4)
    ]
    sent = [*quarters, *months(100, 100, 100, 100)]
    found = measured(sent, "full_period")
    assert out(found) == [], "a month has less than a quarter"
    assert [one.high for one in found] == [None, None, None, 360, None, None, None, 120]
    assert out(measured(sent)) == ["2024-01", "2024-02", "2024-03"], "a list is whole whenever it comes"


def test_what_has_a_name_of_a_newer_version_is_compared_with_nothing() -> None:
    sent = [replace(one, delivery=f"{one.delivery} new") for one in months(1000, 1000, 1000, 1000, 10)]
    assert [one.high for one in measured(sent, "full_period")] == [None] * 5


def test_what_is_below_nothing_is_drawn_as_nothing() -> None:
    odd = [Point(0, -5, None, None, False, "a", "/a"), Point(1, -1, -9, -8, False, "b", "/b")]
    picture = line_chart(odd, label="x", ends=("a", "b"), tick=str)
    assert "nan" not in picture
    assert picture.count("<circle") == 2
    assert "<svg" in sparkline([("2026-05", 10, -2), ("2026-06", 0, 3)])


def test_a_share_is_out_from_where_the_watch_raises_it() -> None:
    quiet = months(1000, 1000, 1000, 1000, refused=[10, 10, 10, 30])
    counts = [(one.refused, one.received) for one in quiet]
    before = comparable(quiet, "month", kind="full_period")
    found = shares(quiet, before, counts)
    assert (found[-1].high, out(found)) == (3.0, ["2024-04"]), "three times one per cent, two points above it"
    assert out(shares(quiet, before, [*counts[:3], (29, 1000)])) == []
    assert out(shares(quiet, before, [(0, 100), (0, 100), (0, 100), (19, 100)])) == [], "nineteen rows say nothing"


def test_before_a_rule_looked_at_anything_nothing_is_compared_with() -> None:
    found = months(100, 100, 100, 100)
    assert (
        shares(found, comparable(found, "month", kind="full_period"), [(0, 0), (0, 100), (0, 100), (50, 100)])[-1].high
        is None
    )


def points(*values: float, out: Sequence[int] = (), usual: tuple[float, float] | None = None) -> list[Point]:
    low, high = usual or (None, None)
    return [
        Point(index, value, low, high, index in out, f"d{index}: {value}", f"/d{index}")
        for index, value in enumerate(values)
    ]


def drawn(given: Sequence[Point], **options: object) -> ET.Element:
    picture = line_chart(given, label="rows", ends=("a", "z"), tick=str, **options)  # type: ignore[arg-type]
    return ET.fromstring(f'<svg xmlns="http://www.w3.org/2000/svg">{picture}</svg>')  # noqa: S314  # our own


def test_each_point_leads_to_its_delivery_and_says_what_it_is() -> None:
    links = drawn(points(1, 2, 3)).findall(f".//{_SVG}a")
    assert [(one.get("href"), one.findtext(f"{_SVG}title")) for one in links] == [
        ("/d0", "d0: 1"),
        ("/d1", "d1: 2"),
        ("/d2", "d2: 3"),
    ]


def test_what_is_out_is_marked_and_the_usual_range_shaded() -> None:
    picture = drawn(points(10, 10, 30, out=[2], usual=(8, 12)))
    assert [one.get("class") for one in picture.iter(f"{_SVG}circle")] == ["dot", "dot", "dot out"]
    assert len(picture.findall(f".//{_SVG}polygon")) == 1


def test_a_higher_value_stands_higher_and_all_lie_within() -> None:
    for values in ([0, 0, 0], [1], [0.0004, 3], [999, 1001, 1e7], [5, 5, 5]):
        for size in (LARGE, SMALL):
            picture = drawn(points(*values, out=range(len(values)), usual=(0, 4)), size=size)
            heights = [float(one.get("cy", "nan")) for one in picture.iter(f"{_SVG}circle")]
            assert [sorted(heights, reverse=True)] == [heights] or values != sorted(values)
            assert all(0 <= height <= size.height for height in heights)


def test_of_years_of_days_only_what_matters_has_a_dot_and_a_stop_of_the_keyboard() -> None:
    picture = drawn(points(*range(730), out=[5]))
    assert len(list(picture.iter(f"{_SVG}circle"))) == 2
    links = list(picture.iter(f"{_SVG}a"))
    assert (len(links), sum(one.get("tabindex") is None for one in links)) == (730, 2)


def test_a_small_picture_leads_to_what_is_out_and_to_the_last() -> None:
    assert [one.get("href") for one in drawn(points(1, 9, 1, out=[1]), size=SMALL).iter(f"{_SVG}a")] == ["/d1", "/d2"]


def test_a_level_stretch_is_one_line() -> None:
    (line,) = drawn(points(*[0] * 500, 1, 0)).findall(f".//{_SVG}polyline")
    assert len(str(line.get("points")).split()) == 4


def test_what_was_received_does_nothing_in_a_picture() -> None:
    evil = Point(0, 1, None, None, False, '"><script>alert(1)</script>', '"><script>')
    picture = str(line_chart([evil], label='"<b>', ends=("<i>", "<i>"), tick=lambda _: "<u>"))
    assert not re.search("<(script|b|i|u)>", picture)
