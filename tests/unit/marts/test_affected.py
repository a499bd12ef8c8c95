"""Touch × reach, worked out by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from threegaps.errors import BuildError
from threegaps.marts.affected import OPEN_END, OPEN_START, Slice, Touch, affected_slices, touching_period
from threegaps.marts.manifest import Manifest, Reach


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def manifest(reach: dict[str, Any] | None) -> Manifest:
    meta: dict[str, Any] = {"indicator": "M01-1"} | ({} if reach is None else {"reach": reach})
    node = {"name": "ind_m01_1", "resource_type": "model", "config": {"meta": meta}, "fqn": ["p", "ind_m01_1"]}
    seed = {"name": "seed_area", "resource_type": "seed", "config": {"meta": {}}, "fqn": ["p", "seed_area"]}
    return Manifest(
        {
            "nodes": {"model.p.ind_m01_1": node, "seed.p.seed_area": seed},
            "child_map": {"seed.p.seed_area": ["model.p.ind_m01_1"], "model.p.ind_m01_1": []},
        }
    )


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
    slices = affected_slices(manifest({"a/b": reach}), [touch("2026-01-20", "2026-02-03")])
    assert slices == [Slice("M01-1", "330102", day(first), day(last) if last else OPEN_END)]


def test_an_open_touch_reaches_every_later_period() -> None:
    slices = affected_slices(manifest({"a/b": {"kind": "shift", "months": [-3, 0]}}), [touch("2026-01-20", None)])
    assert slices == [Slice("M01-1", "330102", day("2025-10-01"), OPEN_END)]


def test_a_feed_that_the_model_does_not_name_does_not_reach_it() -> None:
    assert affected_slices(manifest({"c/d": {"kind": "same"}}), [touch("2026-01-20", "2026-02-03")]) == []


def test_a_model_that_says_nothing_is_rebuilt_whole() -> None:
    slices = affected_slices(manifest(None), [touch("2026-01-20", "2026-02-03")])
    assert slices == [Slice("M01-1", "*", OPEN_START, OPEN_END)]


@pytest.mark.parametrize("county", ["unknown", "*"])
def test_a_touch_of_no_known_county_reaches_every_area(county: str) -> None:
    slices = affected_slices(manifest({"a/b": {"kind": "same"}}), [touch("2026-01-20", "2026-01-20", county=county)])
    assert slices == [Slice("M01-1", "*", day("2026-01-01"), day("2026-01-31"))]


def test_areas_all_reaches_every_area_and_ranges_that_meet_are_one() -> None:
    touches = [touch("2026-01-20", "2026-01-20"), touch("2026-02-01", "2026-02-02", county="330103")]
    slices = affected_slices(manifest({"a/b": {"kind": "same", "areas": "all"}}), touches)
    assert slices == [Slice("M01-1", "*", day("2026-01-01"), day("2026-02-28"))]


def test_a_changed_seed_rebuilds_what_it_feeds() -> None:
    changed = Touch(1, "seed", "seed_area", "*", OPEN_START, OPEN_END)
    assert affected_slices(manifest({"a/b": {"kind": "same"}}), [changed]) == [
        Slice("M01-1", "*", OPEN_START, OPEN_END)
    ]


def test_the_passing_of_days_reaches_what_declares_it() -> None:
    passed = Touch(1, "as_of", None, "*", day("2026-05-31"), day("2026-06-30"))
    reach = {"as_of": {"kind": "shift", "months": [-6, 0]}}
    assert affected_slices(manifest(reach), [passed]) == [Slice("M01-1", "*", day("2025-11-01"), day("2026-06-30"))]
    assert affected_slices(manifest({"a/b": {"kind": "same"}}), [passed]) == []


@pytest.mark.parametrize(
    "declared",
    [{"kind": "near"}, {"kind": "shift", "months": [2, 1]}, {"kind": "same", "areas": "some"}, {}],
)
def test_a_reach_that_makes_no_sense_is_refused_with_its_model(declared: dict[str, Any]) -> None:
    with pytest.raises(BuildError, match="ind_x"):
        Reach.of(declared, model="ind_x")


@pytest.mark.parametrize("reach", [Reach(-8, 3, False), Reach(0, None, False), Reach(0, 0, True)])
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
