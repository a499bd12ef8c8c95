"""Touch × reach, worked out by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from threegaps.marts.affected import OPEN_END, OPEN_START, Slice, Touch, affected_slices, touching_period
from threegaps.marts.manifest import Manifest
from threegaps.marts.reach import WHOLE, Reach


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def manifest(step: dict[str, Any] | None) -> Manifest:
    """An indicator of one feed, a/b, and of a seed; *step* is what its fact declares of the feed's staging."""
    fact_meta = {} if step is None else {"reach": {"stg_a__b": step}}
    nodes = [
        model("stg_a__b", "source.p.raw_a.a_b", layer="staging"),
        model("fct_b", "model.p.stg_a__b", layer="core", **fact_meta),
        model("ind_m01_1", "model.p.fct_b", "seed.p.seed_area", layer="marts", indicator="M01-1"),
    ]
    seed = {"name": "seed_area", "resource_type": "seed", "config": {"meta": {}}, "fqn": ["p", "seed_area"]}
    return Manifest(
        {
            "nodes": {f"model.p.{node['name']}": node for node in nodes} | {"seed.p.seed_area": seed},
            "sources": {"source.p.raw_a.a_b": {"config": {"meta": {"feed": "a/b"}}}},
            "child_map": {"seed.p.seed_area": ["model.p.ind_m01_1"], "model.p.ind_m01_1": []},
        }
    )


def model(name: str, *parents: str, layer: str, **meta: Any) -> dict[str, Any]:
    return {
        "name": name,
        "resource_type": "model",
        "config": {"meta": meta},
        "fqn": ["p", layer, name],
        "depends_on": {"nodes": list(parents)},
    }


def touch(first: str, last: str | None, *, county: str = "330102", cause: str = "batch", source: str = "a/b") -> Touch:
    return Touch(1, cause, source, county, day(first), day(last) if last else OPEN_END)


@pytest.mark.parametrize(
    ("reach", "first", "last"),
    [
        ({"kind": "same"}, "2026-01-01", "2026-02-28"),
        ({"kind": "shift", "months": [-8, 1]}, "2025-05-01", "2026-03-31"),
        ({"kind": "window", "months": [0, 11]}, "2026-01-01", "2027-01-31"),
        ({"kind": "all_later"}, "2026-01-01", None),
    ],
)
def test_a_touch_reaches_whole_months(reach: dict[str, Any], first: str, last: str | None) -> None:
    slices = affected_slices(manifest(reach), [touch("2026-01-20", "2026-02-03")])
    assert slices == [Slice("M01-1", "330102", day(first), day(last) if last else OPEN_END)]


def test_an_open_touch_reaches_every_later_period() -> None:
    slices = affected_slices(manifest({"kind": "shift", "months": [-3, 0]}), [touch("2026-01-20", None)])
    assert slices == [Slice("M01-1", "330102", day("2025-10-01"), OPEN_END)]


def test_a_feed_that_the_indicator_does_not_read_does_not_reach_it() -> None:
    assert affected_slices(manifest(None), [touch("2026-01-20", "2026-02-03", source="c/d")]) == []


def test_what_stands_behind_an_edge_without_a_declaration_is_rebuilt_whole() -> None:
    slices = affected_slices(manifest(None), [touch("2026-01-20", "2026-02-03")])
    assert slices == [Slice("M01-1", "*", OPEN_START, OPEN_END)]


@pytest.mark.parametrize("county", ["unknown", "*"])
def test_a_touch_of_no_known_county_reaches_every_area(county: str) -> None:
    slices = affected_slices(manifest({"kind": "same"}), [touch("2026-01-20", "2026-01-20", county=county)])
    assert slices == [Slice("M01-1", "*", day("2026-01-01"), day("2026-01-31"))]


def test_areas_all_reaches_every_area_and_ranges_that_meet_are_one() -> None:
    touches = [touch("2026-01-20", "2026-01-20"), touch("2026-02-01", "2026-02-02", county="330103")]
    slices = affected_slices(manifest({"kind": "same", "areas": "all"}), touches)
    assert slices == [Slice("M01-1", "*", day("2026-01-01"), day("2026-02-28"))]


def test_a_changed_seed_rebuilds_what_it_feeds() -> None:
    changed = Touch(1, "seed", "seed_area", "*", OPEN_START, OPEN_END)
    assert affected_slices(manifest({"kind": "same"}), [changed]) == [Slice("M01-1", "*", OPEN_START, OPEN_END)]


def test_the_passing_of_days_reaches_the_periods_that_they_lie_in() -> None:
    passed = Touch(1, "as_of", None, "*", day("2026-05-31"), day("2026-06-30"))
    slices = affected_slices(manifest({"kind": "shift", "months": [-6, 0]}), [passed])
    assert slices == [Slice("M01-1", "*", day("2026-05-01"), day("2026-06-30"))]


@pytest.mark.parametrize("reach", [Reach(-8, 3, False), Reach(0, None, False), Reach(0, 0, True), WHOLE])
@pytest.mark.parametrize("offset", range(-14, 15))
def test_touching_is_the_inverse_of_reaching(reach: Reach, offset: int) -> None:
    from threegaps.calendar import add_months
    from threegaps.marts.affected import reached_period

    period = (day("2026-01-01"), day("2026-03-31"))
    month = add_months(period[0], offset)
    first, last = reached_period(reach, month, month)
    reaches = first <= period[1] and last >= period[0]
    start, end = touching_period(reach, *period)
    assert (start <= month <= end) == reaches
