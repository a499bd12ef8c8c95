"""How far the feeds reach in the project's own graph, against what was once written by hand for each indicator."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from threegaps.marts.reach import AS_OF, WHOLE, Reach, composed, meta_of

PROJECT = Path(__file__).resolve().parents[3] / "dbt_project"

TRAININGS, SPELLS = "hrss/training_enrollments", "hrss/employment_registrations"
CERTIFICATES, WAGES = "hrss/certificates", "hrss/wage_records"
SAME, ANYWHERE = Reach(0, 0, is_everywhere=False), Reach(0, 0, is_everywhere=True)
LATER, LATER_ANYWHERE = Reach(0, None, is_everywhere=False), Reach(0, None, is_everywhere=True)
# a training of three years joins what ended 90 days before it, and what follows
EPISODES = Reach(-39, None, is_everywhere=True)


def around(first: int, last: int) -> Reach:
    return Reach(first, last, is_everywhere=True)


WRITTEN_BY_HAND: dict[str, dict[str, Reach]] = {
    "M01-1": {TRAININGS: ANYWHERE, SPELLS: around(-8, 36)},
    "M01-2": {TRAININGS: ANYWHERE, CERTIFICATES: around(-8, 0)},
    "M01-3": {TRAININGS: SAME},
    "M01-5": {TRAININGS: SAME, SPELLS: around(0, 36), "industry/affected_enterprises": around(0, 36)},
    "M07-1": {CERTIFICATES: SAME},
    "M07-2": {CERTIFICATES: SAME},
    "M08-1": {"hrss/skill_enterprises": LATER},
    "M14-2": {WAGES: SAME, CERTIFICATES: LATER_ANYWHERE},
    "M14-4": {WAGES: SAME, CERTIFICATES: LATER_ANYWHERE},
    "M21-1": {SPELLS: SAME, CERTIFICATES: LATER_ANYWHERE},
    "M21-2": {SPELLS: SAME, CERTIFICATES: LATER_ANYWHERE},
    "M21-5": {"statistics/employment_population": SAME},
    "G1-1": {"statistics/resident_income": ANYWHERE},
    "G1-2": {SPELLS: SAME, CERTIFICATES: LATER_ANYWHERE},
    "G2-2": {SPELLS: ANYWHERE, CERTIFICATES: LATER_ANYWHERE},
    "G2-5": {"statistics/resident_income": ANYWHERE},
    "G3-1": {WAGES: SAME, CERTIFICATES: LATER_ANYWHERE},
    "O-1": {TRAININGS: EPISODES, SPELLS: around(-9, 36), WAGES: around(-9, 0)},
    "O-2": {TRAININGS: EPISODES, SPELLS: around(-15, 36), WAGES: around(-15, 0)},
    "O-3": {TRAININGS: EPISODES, SPELLS: around(-9, 36), WAGES: around(-9, 0)},
}


@pytest.fixture(scope="module")
def reaches(manifest: dict[str, Any]) -> dict[str, dict[str, Reach]]:
    """What is composed, by the indicator's code."""
    nodes = manifest["nodes"]
    return {meta_of(nodes[name])["indicator"]: reach for name, reach in composed(manifest).items()}


@pytest.mark.parametrize("code", WRITTEN_BY_HAND)
def test_what_is_composed_reaches_as_far_as_what_was_written_by_hand(
    reaches: dict[str, dict[str, Reach]], code: str
) -> None:
    for feed, by_hand in WRITTEN_BY_HAND[code].items():
        found = reaches[code][feed]
        assert found.together_with(by_hand) == found, feed


def test_nothing_is_rebuilt_whole_for_want_of_a_declaration(reaches: dict[str, dict[str, Reach]]) -> None:
    assert len(reaches) >= 20
    assert [(code, feed) for code, reach in reaches.items() for feed in reach if reach[feed] == WHOLE] == []


def test_each_indicator_rests_on_the_feeds_that_its_catalogue_names(reaches: dict[str, dict[str, Reach]]) -> None:
    with (PROJECT / "seeds" / "seed_indicator.csv").open(encoding="utf-8", newline="") as file:
        named = {row["indicator_code"]: row["horizon_feeds"].split(",") for row in csv.DictReader(file)}
    for code, reach in reaches.items():
        feeds = {feed for feed in named[code] if not feed.startswith("seed/")}
        assert feeds <= reach.keys() - {AS_OF}, code


def test_an_indicator_that_looks_into_other_periods_declares_it() -> None:
    """A feed's rows matter in their own period unless something is declared."""
    paths = sorted(PROJECT.glob("models/marts/*/ind_*.sql"))
    assert len(paths) >= 20
    elsewhere = re.compile(r"\binterval '|make_interval|<=? *(slices|members|placed)\.period|generate_series")
    for path in paths:
        if elsewhere.search(re.sub(r"--.*", "", path.read_text(encoding="utf-8"))):
            assert "reach:" in path.with_suffix(".yml").read_text(encoding="utf-8"), path.name
