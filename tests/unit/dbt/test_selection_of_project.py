"""Which models a build of parts runs: whatever its claim can reach, and nothing that holds the right rows already."""

from __future__ import annotations

from typing import Any

import pytest

from threegaps.marts.manifest import Manifest
from threegaps.marts.reach import EVERY_FEED, meta_of
from threegaps.marts.selection import EVERYTHING, Change, Chosen, choose

WAGES, CERTIFICATES = "hrss/wage_records", "hrss/certificates"
CELLS = {"indicator_rollup", "indicator_measured", "indicator_cell", "indicator_shown", "indicator_value"}


@pytest.fixture(scope="module")
def project(manifest: dict[str, Any]) -> Manifest:
    return Manifest(manifest)


@pytest.fixture(scope="module")
def present(project: Manifest) -> frozenset[tuple[str, str]]:
    return frozenset((node["schema"], node["alias"]) for node in project.nodes.values())


def runs(project: Manifest, present: frozenset[tuple[str, str]], *feeds: str, **more: Any) -> frozenset[str]:
    chosen = choose(project, changed(project, *feeds, **more), present)
    assert chosen.models is not None
    return chosen.models


def changed(project: Manifest, *feeds: str, codes: set[str] | None = None, coverage: bool = False) -> Change:
    """Batches of *feeds*, which reach every indicator that they can unless *codes* says which."""
    reached = {one.code for one in project.indicators if not one.reach.keys().isdisjoint(feeds)}
    return Change(frozenset(feeds), frozenset(reached if codes is None else codes), coverage)


def test_a_change_of_everything_runs_everything(project: Manifest, present: frozenset[tuple[str, str]]) -> None:
    assert choose(project, None, present) == EVERYTHING == Chosen(None, makes_slices_only=False)


def test_wages_run_what_reads_wages(project: Manifest, present: frozenset[tuple[str, str]]) -> None:
    found = runs(project, present, WAGES)
    assert CELLS | {"int_affected_slice", "int_person_period_wage", "int_holder_level", "ind_m14_4"} <= found
    untouched = {"fct_certificate", "fct_employment_spell", "dim_period", "feed_coverage", "int_covered_period"}
    assert not found & {*untouched, "ind_m07_1", "int_employment_stock", "int_site_travel_time", "int_newly_skilled"}
    assert len(found) < len(project.model_names) / 4


def test_whole_tables_run_when_what_they_read_may_differ(
    project: Manifest, present: frozenset[tuple[str, str]]
) -> None:
    """Even where no slice of a reader is affected: the next build reads them."""
    found = runs(project, present, CERTIFICATES, codes=set())
    assert {"fct_certificate", "int_issued_certificate", "int_newly_skilled", "int_title_award"} <= found
    assert not found & {"int_holder_level", "ind_m07_1"}, "work of slices, of which there are none"


def test_every_reader_of_a_feed_runs_or_is_made_for_slices(
    project: Manifest, present: frozenset[tuple[str, str]]
) -> None:
    """Each model between a feed's source and the cells: what a batch may change does not stay as it was."""
    models = {name: node for name, node in project.nodes.items() if node["resource_type"] == "model"}
    feed_of = {name: meta_of(source).get("feed") for name, source in project.raw["sources"].items()}
    for feed in sorted({str(feed) for feed in feed_of.values() if feed} - {EVERY_FEED}):
        found = runs(project, present, feed)
        waiting = [name for name, of in feed_of.items() if of == feed]
        seen: set[str] = set()
        while waiting:
            for child in project.raw["child_map"].get(waiting.pop(), ()):
                if child in models and child not in seen:
                    seen.add(child)
                    waiting.append(child)
        left = {models[name]["name"] for name in seen if models[name]["config"]["materialized"] != "view"} - found
        assert not left, feed


def test_a_view_runs_when_what_it_reads_is_replaced(project: Manifest, present: frozenset[tuple[str, str]]) -> None:
    assert "int_issued_certificate" in runs(project, present, CERTIFICATES), "a table below it is dropped"
    found = runs(project, present, WAGES)
    assert not found & {"fct_wage", "indicator_base", "indicator_zero"}, "below them rows change in place"
    assert "indicator_zero" in runs(project, present, WAGES, coverage=True), "rollups are made anew"


def test_other_days_make_anew_what_is_made_by_slice(project: Manifest, present: frozenset[tuple[str, str]]) -> None:
    assert choose(project, changed(project, WAGES), present).makes_slices_only
    chosen = choose(project, changed(project, WAGES, coverage=True), present)
    assert not chosen.makes_slices_only
    assert chosen.models is not None
    assert {"feed_coverage", "dim_period", "int_covered_period", *CELLS} <= chosen.models


def test_what_is_not_there_is_made(project: Manifest, present: frozenset[tuple[str, str]]) -> None:
    gone = {("build", "int_issued_certificate"), ("core", "fct_training")}
    found = runs(project, present - gone, WAGES)
    assert {"int_issued_certificate", "fct_training"} <= found


def test_the_ledger_s_sources_say_what_they_change_with(project: Manifest) -> None:
    """Of one that says nothing it is taken that it differs at each build."""
    sources = [source for source in project.raw["sources"].values() if source["source_name"] == "ops"]
    by_coverage = {source["name"] for source in sources if meta_of(source).get("changes_with") == "coverage"}
    assert by_coverage == {"build_now", "build_coverage", "feed_coverage"}


def test_what_reads_the_ledger_runs_always(project: Manifest, present: frozenset[tuple[str, str]]) -> None:
    """Batches that were stopped wait for no claim."""
    found = runs(project, present, coverage=True)
    assert {"data_quality", "fct_first_submission"} <= found
